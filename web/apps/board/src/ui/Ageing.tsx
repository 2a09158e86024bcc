/** What passes on a card: its stay in its step, what its customer was promised, and how long they have heard nothing. */

import type { Order } from "@ordercast/client";
import type { ReactNode } from "react";
import { useNow } from "../model/clock.ts";
import { levelIn, promise, stay, type Span } from "../parts/ageing.ts";
import { useDesk } from "./context.ts";
import { card as words, clockTime, passing } from "./words.ts";

/** How long it has been in its step; near the step's target and past it, how long until then or since. */
export function Ageing({ order }: { order: Order }): ReactNode {
  const span = stay(order, useDesk().targets);
  const since = Date.parse(order.statusSince);
  const is = useLevel(span);
  const text = useNow((now) => passing(Math.abs(now - (is === "due" || is === "late" ? span!.late : since)) / 1000));
  const [before, after] = words.stay[is];
  return (
    <p className="age" data-level={is} title={words.since(clockTime(order.statusSince, Date.now()))}>
      {before !== "" && <span className="sign">{before}</span>} <span className="passing">{text}</span> {after !== "" && <span className="sign">{after}</span>}
    </p>
  );
}

/** What the customer was promised, and how late that is. */
export function Promised({ order }: { order: Order }): ReactNode {
  const span = promise(order);
  const is = useLevel(span);
  const late = useNow((now) => (is === "late" ? passing((now - span!.late) / 1000) : undefined));
  if (order.expectedAt === null) return null;
  return (
    <span className="expected" data-level={is}>
      {late === undefined ? words.promised : <><span className="sign">{words.late(late)}</span> {words.lateFor}</>}{" "}
      <time dateTime={order.expectedAt}>{clockTime(order.expectedAt, Date.now())}</time>
    </span>
  );
}

/** Runs until a person has contacted the customer. */
export function Contact({ order }: { order: Order }): ReactNode {
  const created = Date.parse(order.createdAt);
  const first = order.firstContactAt === null ? undefined : Date.parse(order.firstContactAt);
  const text = useNow((now) => passing(((first ?? now) - created) / 1000));
  return first === undefined ? <p className="contact waiting">{words.notContacted(text)}</p> : <p className="contact">{words.contacted(text)}</p>;
}

const useLevel = (span: Span | undefined) => useNow((now) => levelIn(span, now));
