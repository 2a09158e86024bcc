/** An order's own words: the shop's JSON as lines to read, on screen and on paper. Pure. */

import type { Order } from "@ordercast/client";

export interface Line {
  /** "2 ×"; empty for one. */
  readonly quantity: string;
  readonly name: string;
  /** Whatever else the shop says of it: "size: L". */
  readonly more: readonly string[];
  /** Of all of them; `null`: not said. */
  readonly price: number | null;
}

/** What a shop calls the things that have a place of their own. */
const OWN = new Set(["name", "quantity", "price", "id", "sku"]);

export function lines(order: Order): Line[] {
  return (order.items as unknown[]).map((item) => {
    if (typeof item !== "object" || item === null) return { quantity: "", name: String(item), more: [], price: null };
    const { name, quantity, price } = item as { name?: unknown; quantity?: unknown; price?: unknown };
    const many = typeof quantity === "number" && quantity !== 1;
    return {
      quantity: many ? `${quantity} ×` : "",
      name: isPlain(name) ? String(name) : "?",
      more: rest(item, OWN),
      price: typeof price === "number" ? price * (many ? quantity : 1) : null,
    };
  });
}

export interface Contact {
  readonly name: string | null;
  readonly phone: string | null;
  /** "address: 12 Main Street" */
  readonly more: readonly string[];
}

export function contact(order: Order): Contact {
  const all = order.contact ?? {};
  const said = (name: string) => (isPlain(all[name]) ? String(all[name]) : null);
  return { name: said("name"), phone: said("phone"), more: rest(all, new Set(["name", "phone"])) };
}

/** "12,50 €" where the currency is known, in the reader's own way. */
export function money(amount: number, currency: string | null): string {
  if (currency === null) return amount.toFixed(2);
  try {
    return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(amount);
  } catch {
    return `${amount.toFixed(2)} ${currency}`;
  }
}

/** The plain values of an object, and those one level below, each with its name. */
function rest(all: object, own: ReadonlySet<string>): string[] {
  return Object.entries(all).flatMap(([name, value]: [string, unknown]) => {
    if (own.has(name)) return [];
    if (isPlain(value)) return [`${name}: ${value}`];
    const parts = typeof value === "object" && value !== null ? Object.values(value).filter(isPlain) : [];
    return parts.length === 0 ? [] : [`${name}: ${parts.join(", ")}`];
  });
}

const isPlain = (value: unknown): value is string | number => (typeof value === "string" && value !== "") || typeof value === "number";
