/** What passes on a card: how long it has been in its status, how late it is, and how long its customer has heard nothing. */

import type { Order } from "@ordercast/client";
import { useNow } from "../model/clock.ts";
import { level } from "../parts/ageing.ts";
import { useDesk } from "./context.ts";
import { clockTime, passing } from "./words.ts";

const SIGNS = { none: "", fresh: "", due: "due in", late: "late" } as const;

/** Whoever sees "late" beside a time takes it for how late: so it is, and how long it has until then where it is due. */
export function Ageing({ order }: { order: Order }) {
  const { targets, lateness } = useDesk();
  const since = Date.parse(order.statusSince);
  const is = useNow((now) => level(order, targets, now));
  const text = useNow((now) => passing(Math.abs(now - (is === "due" || is === "late" ? lateness.at(order) : since)) / 1000));
  return (
    <p className="age" data-level={is} title={`Here since ${clockTime(order.statusSince, Date.now())}`}>
      {SIGNS[is] !== "" && <span className="sign">{SIGNS[is]}</span>} <span className="passing">{text}</span>
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
