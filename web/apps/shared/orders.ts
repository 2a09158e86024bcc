/** What the pages say of orders. Pure. */

import type { Order } from "@ordercast/client";

/** "2 × Margherita, Tiramisù" */
export function summary(order: Order): string {
  return (order.items as { name?: string; quantity?: number }[])
    .map((item) => ((item.quantity ?? 1) > 1 ? `${item.quantity} × ${item.name ?? "?"}` : (item.name ?? "?")))
    .join(", ");
}
