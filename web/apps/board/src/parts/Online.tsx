/** Who else is on. */

import { key, type Id, type OrdercastClient, type Presence } from "@ordercast/client";
import { useOrdercast } from "@ordercast/react";
import { useEffect, useState, type ReactNode } from "react";
import { Button, Dialog, DialogTrigger, Heading, Popover } from "react-aria-components";
import { Asker } from "./asker.ts";
import { online as words } from "./words.ts";

const PACE = { every: 10_000, apart: 5_000 };

/** Users who are online, each once; `undefined` until that is known. */
export function usePresence(client: Pick<OrdercastClient, "on" | "presence">): Presence["operators"] | undefined {
  const [operators, set] = useState<Presence["operators"]>();
  useEffect(() => {
    let there = true;
    const asker = new Asker(async () => {
      const found = await client.presence();
      if (there) set(found.operators);
    }, PACE);
    const ends = [asker.start(), client.on("connection", asker.soon)];
    return () => {
      there = false;
      for (const end of ends) end();
    };
  }, [client]);
  return operators;
}

export function Online({ me }: { me: Id }): ReactNode {
  const operators = usePresence(useOrdercast());
  if (operators === undefined) return null;
  const others = operators.filter(({ userId }) => key(userId) !== key(me));
  return (
    <DialogTrigger>
      <Button className="button online">{words.others(others.length)}</Button>
      <Popover className="popover" placement="bottom end">
        <Dialog className="panel">
          <Heading slot="title">{words.title}</Heading>
          <ul className="people">
            <li>{words.you(key(me))}</li>
            {others.map(({ userId, role }) => (
              <li key={key(userId)}>
                {userId} {role === "admin" && <span className="soft">{words.admin}</span>}
              </li>
            ))}
          </ul>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
