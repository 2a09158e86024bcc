/** Which orders are announced, and until when. Pure. */

import { key, type Order } from "@ordercast/client";

/** What has been announced in a shift. */
export interface Shift {
  /** Orders that waited when it began: they are counted, and not rung for. */
  readonly there: ReadonlySet<string>;
  /** Orders that are being rung for. */
  readonly ringing: ReadonlySet<string>;
}

/** New and nobody's: in the first status, and not taken. */
export const waiting = (orders: readonly Order[], initial: string): Order[] =>
  orders.filter(({ status, claimedBy }) => status === initial && claimedBy === null);

export const beginShift = (waits: readonly Order[]): Shift => ({ there: ids(waits), ringing: new Set() });

/**
 * The shift with the orders that wait now, and those of them that have just come. What has been taken, or has moved,
 * is rung for no more; should it wait again, it is new again.
 */
export function look(shift: Shift, waits: readonly Order[]): { shift: Shift; fresh: Order[] } {
  const now = ids(waits);
  const there = new Set([...shift.there].filter((id) => now.has(id)));
  const ringing = new Set([...now].filter((id) => !there.has(id)));
  const fresh = waits.filter(({ orderId }) => ringing.has(key(orderId)) && !shift.ringing.has(key(orderId)));
  return { shift: { there, ringing }, fresh };
}

const ids = (orders: readonly Order[]): Set<string> => new Set(orders.map(({ orderId }) => key(orderId)));
