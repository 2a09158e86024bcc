/** What differs between two lists of orders, both newest first. Pure. */

import { byNewest, key, type Order } from "@ordercast/client";

export interface Changes {
  /** New or changed. */
  readonly set: readonly Order[];
  readonly gone: readonly string[];
}

/** Walks both once: orders that are the same object cost one comparison. */
export function changes(before: readonly Order[], after: readonly Order[]): Changes {
  const set: Order[] = [];
  const gone: string[] = [];
  let at = 0;
  for (const order of after) {
    let old = before[at];
    while (old !== undefined && old !== order && byNewest(old, order) < 0) {
      gone.push(key(old.orderId));
      old = before[++at];
    }
    if (old === order) at += 1;
    else {
      if (old !== undefined && key(old.orderId) === key(order.orderId)) at += 1;
      set.push(order);
    }
  }
  for (; at < before.length; at += 1) gone.push(key(before[at]!.orderId));
  return { set, gone };
}
