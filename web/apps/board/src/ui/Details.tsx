/** An order in full, with all that can be done to it. Loaded when somebody opens one. */

import type { Order } from "@ordercast/client";
import { useLayoutEffect, useRef } from "react";
import { address } from "../model/address.ts";
import { OrderDetails } from "../parts/OrderDetails.tsx";
import { Ageing, Promised } from "./Ageing.tsx";
import { useDesk } from "./context.ts";
import { choices, type Choice } from "./choices.ts";
import { BLINK } from "./presses.ts";

export default function Details({ orderId }: { orderId: string }) {
  const { steps } = useDesk();
  return (
    <OrderDetails
      orderId={orderId}
      workflow={steps.workflow}
      onClose={() => address.close("order")}
      actions={(order, hasBeen) => <Actions order={order} hasBeen={hasBeen} />}
      waiting={(order) => (
        <>
          <Ageing order={order} /> <Promised order={order} />
        </>
      )}
    />
  );
}

/** An order is not taken back to where it has never been, though the workflow has a way from there. */
function Actions({ order, hasBeen }: { order: Order; hasBeen: (status: string) => boolean }) {
  const desk = useDesk();
  const next = desk.steps.onward(order, desk.me.role);
  const isSettled = useSettled(order.status);
  const sections = [...choices(desk, order)].sort((a, b) => Number(isBack(a)) - Number(isBack(b))); // the history comes last
  return sections
    .map(({ title, list }) => ({ title, list: list.filter(({ id }) => id !== "details" && (!id.startsWith(BACK) || hasBeen(id.slice(BACK.length)))) }))
    .filter(({ list }) => list.length > 0)
    .map(({ title, list }) => (
      <div key={title} className="act-group" role="group" aria-label={title}>
        <span className="soft" aria-hidden="true">
          {title}
        </span>
        {list.map(({ id, label, act }) => (
          <button key={id} type="button" className={id === `to-${next}` ? "main" : undefined} onClick={() => isSettled() && act()}>
            {label}
          </button>
        ))}
      </div>
    ));
}

/** Whether the status has been there for a blink: what a button says before that, a second press does not mean. */
function useSettled(status: string): () => boolean {
  const since = useRef({ status, at: -Infinity });
  useLayoutEffect(() => {
    if (since.current.status !== status) since.current = { status, at: performance.now() };
  }, [status]);
  return () => performance.now() - since.current.at >= BLINK;
}

const BACK = "back-";
const isBack = ({ list }: { list: readonly Choice[] }): boolean => list[0]?.id.startsWith(BACK) === true;
