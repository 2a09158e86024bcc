/** What passes on a card: how long it has been in its status, and without a contact. */

import type { Order } from "@ordercast/client";
import { useNow } from "../model/clock.ts";
import { level } from "../parts/ageing.ts";
import { useDesk } from "./context.ts";
import { passing } from "./words.ts";

const SIGNS = { none: "", fresh: "", due: "due", late: "late" } as const;

export function Ageing({ order }: { order: Order }) {
  const { targets } = useDesk();
  const since = Date.parse(order.statusSince);
  const text = useNow((now) => passing((now - since) / 1000));
  const is = useNow((now) => level(order, targets, now));
  return (
    <p className="age" data-level={is}>
      <time dateTime={order.statusSince}>{text}</time>
      {SIGNS[is] !== "" && <span className="sign">{SIGNS[is]}</span>}
    </p>
  );
}

/** Runs until a person has contacted the customer. */
export function Contact({ order }: { order: Order }) {
  const created = Date.parse(order.createdAt);
  const first = order.firstContactAt === null ? undefined : Date.parse(order.firstContactAt);
  const text = useNow((now) => passing(((first ?? now) - created) / 1000));
  return first === undefined ? <p className="contact waiting">no contact {text}</p> : <p className="contact">contacted {text}</p>;
}
