/** What the pages say of orders. Pure. */

import type { Order } from "@ordercast/client";

interface Item {
  name?: unknown;
  quantity?: unknown;
}

/** "2 × Margherita"; one of a thing is its name alone. */
export function itemWords({ name, quantity }: Item): string {
  const many = (typeof quantity === "number" || typeof quantity === "string") && String(quantity) !== "1";
  return `${many ? `${quantity} × ` : ""}${name ?? "?"}`;
}

/** "2 × Margherita, Tiramisù" */
export function summary(order: Order): string {
  return (order.items as Item[]).map(itemWords).join(", ");
}
