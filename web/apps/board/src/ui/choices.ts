/** Everything that can be done to an order, in words. */

import { key, type Order } from "@ordercast/client";
import type { Desk } from "./context.ts";

export interface Choice {
  readonly id: string;
  readonly label: string;
  readonly act: () => void;
}

export function choices(desk: Desk, order: Order): { title: string; list: Choice[] }[] {
  const { steps, me } = desk;
  const id = key(order.orderId);
  const on = steps.next(order, me.role).map((to) => ({ id: `to-${to}`, label: steps.isLost(to) ? `${steps.label(to)} …` : steps.label(to), act: () => void bring(desk, order, to) }));
  const back = steps.back(order, me.role).map((from) => ({ id: `back-${from}`, label: `${steps.label(from)} …`, act: () => void bring(desk, order, from) }));
  return [
    { title: "Move to", list: on },
    { title: "Back to", list: back },
    { title: "Order", list: [...claims(desk, order), ...contact(desk, order), { id: "details", label: "Details", act: () => desk.openDetails(id) }] },
  ];
}

/** Moves the order on, and says so; where it goes back or comes to nothing, a reason is asked for first. */
export function bring(desk: Desk, order: Order, to: string): boolean {
  const { steps, doing, me } = desk;
  if (!steps.next(order, me.role).includes(to)) desk.ask({ back: { order, from: to, to: order.status, at: Date.now(), answered: Promise.resolve(order) } });
  else if (steps.isLost(to)) desk.ask({ order, to });
  else {
    void doing.move(order, to);
    return true;
  }
  return false;
}

/** Nobody takes what is over. */
function claims({ doing, me, steps }: Desk, order: Order): Choice[] {
  if (!steps.isOpen(order.status)) return [];
  const holder = order.claimedBy;
  if (holder === null) return [{ id: "claim", label: "Claim it", act: () => void doing.claim(order) }];
  const mine = key(holder) === me.userId;
  const release: Choice = { id: "release", label: mine ? "Release it" : `Release it from ${holder}`, act: () => void doing.release(order) };
  if (mine) return [release];
  const over: Choice = { id: "take-over", label: `Take it over from ${holder}`, act: () => void doing.claim(order) };
  return me.role === "admin" ? [over, release] : [over];
}

function contact({ doing }: Desk, order: Order): Choice[] {
  return order.firstContactAt === null ? [{ id: "contact", label: "Customer contacted", act: () => void doing.contacted(order) }] : [];
}
