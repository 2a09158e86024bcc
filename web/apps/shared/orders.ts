/** What the pages say of orders. Pure. */

import type { Order } from "@ordercast/client";

interface Item {
  name?: unknown;
  quantity?: unknown;
}

/** "2 × Margherita"; one of a thing is its name alone. */
export function itemWords({ name, quantity }: Item): string {
  const [what, many] = [plain(name) || "?", plain(quantity)];
  return many === undefined || many === "1" ? what : `${many} × ${what}`;
}

/** A text or a number as a text; of anything else nothing. */
const plain = (value: unknown): string | undefined => (typeof value === "string" || typeof value === "number" ? String(value) : undefined);

/** "2 × Margherita, Tiramisù" */
export function summary(order: Order): string {
  return (order.items as Item[]).map(itemWords).join(", ");
}
