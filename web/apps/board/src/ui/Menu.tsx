/** Everything that can be done to an order: one menu for all cards, at the card that asked. */

import { useEffect, useRef } from "react";
import { Header, Menu, MenuItem, MenuSection, Popover } from "react-aria-components";
import { choices } from "./choices.ts";
import { useCard, useDesk } from "./context.ts";

export interface Asked {
  readonly id: string;
  readonly at: Element;
}

export function CardMenu({ asked, close }: { asked: Asked; close: () => void }) {
  const desk = useDesk();
  const order = useCard(asked.id)?.order;
  const trigger = useRef<Element>(asked.at);
  const gone = order === undefined;
  useEffect(() => {
    if (gone) close();
  }, [gone, close]);
  if (order === undefined) return null;
  const sections = choices(desk, order).filter(({ list }) => list.length > 0);
  return (
    <Popover className="popover" aria-label={`Order ${order.orderId}`} isOpen triggerRef={trigger} onOpenChange={(open) => !open && close()} placement="bottom end">
      <Menu
        className="menu"
        aria-label={`Order ${order.orderId}`}
        autoFocus="first"
        onClose={close}
        onAction={(chosen) => sections.flatMap(({ list }) => list).find(({ id }) => id === chosen)?.act()}
      >
        {sections.map(({ title, list }) => (
          <MenuSection key={title}>
            <Header>{title}</Header>
            {list.map(({ id, label }) => (
              <MenuItem key={id} id={id} className="item">
                {label}
              </MenuItem>
            ))}
          </MenuSection>
        ))}
      </Menu>
    </Popover>
  );
}
