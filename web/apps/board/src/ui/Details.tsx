/** An order in full, with all that can be done to it. Loaded when somebody opens one. */

import type { Order } from "@ordercast/client";
import { address } from "../model/address.ts";
import { OrderDetails } from "../parts/OrderDetails.tsx";
import { useDesk } from "./context.ts";
import { choices } from "./choices.ts";

export default function Details({ orderId }: { orderId: string }) {
  const { steps } = useDesk();
  return <OrderDetails orderId={orderId} workflow={steps.workflow} onClose={() => address.close("order")} actions={(order) => <Actions order={order} />} />;
}

function Actions({ order }: { order: Order }) {
  const desk = useDesk();
  const next = desk.steps.onward(order, desk.me.role);
  return choices(desk, order)
    .filter(({ list }) => list.length > 0)
    .map(({ title, list }) => (
      <div key={title} className="act-group" role="group" aria-label={title}>
        <span className="soft" aria-hidden="true">
          {title}
        </span>
        {list
          .filter(({ id }) => id !== "details")
          .map(({ id, label, act }) => (
            <button key={id} type="button" className={id === `to-${next}` ? "main" : undefined} onClick={act}>
              {label}
            </button>
          ))}
      </div>
    ));
}
