/** An order in full, with all that can be done to it. Loaded when somebody opens one. */

import type { Order } from "@ordercast/client";
import { address } from "../model/address.ts";
import { OrderDetails } from "../parts/OrderDetails.tsx";
import { Ageing, Promised } from "./Ageing.tsx";
import { useDesk } from "./context.ts";
import { choices } from "./choices.ts";

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
  return choices(desk, order)
    .map(({ title, list }) => ({ title, list: list.filter(({ id }) => id !== "details" && (!id.startsWith(BACK) || hasBeen(id.slice(BACK.length)))) }))
    .filter(({ list }) => list.length > 0)
    .map(({ title, list }) => (
      <div key={title} className="act-group" role="group" aria-label={title}>
        <span className="soft" aria-hidden="true">
          {title}
        </span>
        {list.map(({ id, label, act }) => (
          <button key={id} type="button" className={id === `to-${next}` ? "main" : undefined} onClick={act}>
            {label}
          </button>
        ))}
      </div>
    ));
}

const BACK = "back-";
