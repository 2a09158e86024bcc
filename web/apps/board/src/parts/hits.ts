/** Which orders a text finds, the likeliest first, and which one is meant by it. Pure. */

import { key, type Order } from "@ordercast/client";
import { digits, plain, terms } from "./text.ts";

/**
 * How well an order fits, the less the better: 0: it is its number; 1: its reference; 2: its number begins so; 3: its
 * reference does; 4: the words are somewhere in it. `undefined`: they are not.
 */
export type Fit = 0 | 1 | 2 | 3 | 4;
const [NUMBER, REFERENCE, NUMBER_BEGINS, REFERENCE_BEGINS, SOMEWHERE] = [0, 1, 2, 3, 4] as const;
const FITS: readonly Fit[] = [NUMBER, REFERENCE, NUMBER_BEGINS, REFERENCE_BEGINS, SOMEWHERE];

const said = (typed: string): string => plain(typed.trim().replace(/^#\s*/, "").replace(/\s+/g, " "));

/** Whether there is anything to look for in it. */
export const isBlank = (typed: string): boolean => said(typed) === "";

export function fit(typed: string, order: Order): Fit | undefined {
  const { number, reference } = searched(order);
  const text = said(typed);
  if (text !== "") {
    if (number === text) return NUMBER;
    if (reference === text) return REFERENCE;
  }
  if (!matches(typed, order)) return undefined;
  if (number.startsWith(text)) return NUMBER_BEGINS;
  return reference.startsWith(text) ? REFERENCE_BEGINS : SOMEWHERE;
}

/** Whether it is the order's very number or reference. */
export const isExact = (typed: string, order: Order): boolean => (fit(typed, order) ?? SOMEWHERE) <= REFERENCE;

/** Whether some are found by their very number or reference: then the others, which have it somewhere, are not looked for. */
export function isNamed(typed: string, ...all: readonly Iterable<Order>[]): boolean {
  if (isBlank(typed)) return false;
  for (const orders of all) for (const order of orders) if (isExact(typed, order)) return true;
  return false;
}

/** The likeliest first; of the same likelihood, `otherwise` says. */
export const byFit =
  (typed: string, otherwise: (a: Order, b: Order) => number) =>
  (a: Order, b: Order): number =>
    (fit(typed, a) ?? SOMEWHERE) - (fit(typed, b) ?? SOMEWHERE) || otherwise(a, b);

/** Of orders that a text has found: those that are `named` alone, where some are; the likeliest first, else in their sequence. */
export const hits = (typed: string, orders: readonly Order[], named: boolean): Order[] =>
  orders.filter((order) => !named || isExact(typed, order)).sort(byFit(typed, () => 0));

/** The order that Enter opens: the one that fits best, in the first of the lists that has any such; none where several do. */
export function meant(typed: string, ...lists: readonly (readonly Order[])[]): Order | undefined {
  if (isBlank(typed)) return undefined;
  for (const best of FITS) {
    for (const orders of lists) {
      const fitting = orders.filter((order) => (fit(typed, order) ?? SOMEWHERE) === best);
      if (fitting.length > 0) return fitting.length === 1 ? fitting[0] : undefined;
    }
  }
  return undefined;
}

/** Whether each word typed is somewhere in the order's number, reference, contact or items. */
export function matches(typed: string, order: Order): boolean {
  if (typed === "") return true;
  const { text, numbers } = searched(order);
  return terms(typed).every((term) => {
    if (text.includes(term)) return true;
    const part = digits(term);
    return part !== null && numbers.includes(part);
  });
}

interface Searched {
  readonly number: string;
  readonly reference: string;
  readonly text: string;
  /** The telephone number's digits. */
  readonly numbers: string;
}

/** An order is replaced, never changed, so what was made of it once holds. */
const made = new WeakMap<Order, Searched>();

function searched(order: Order): Searched {
  const known = made.get(order);
  if (known !== undefined) return known;
  const { name, phone } = (order.contact ?? {}) as { name?: unknown; phone?: unknown };
  const items = (order.items as unknown[]).map((item) => (typeof item === "object" && item !== null && "name" in item ? item.name : item));
  const [number, reference] = [key(order.orderId), order.reference ?? ""];
  const words = [number, reference, name, phone, ...items].filter(isSaid).map(String);
  const found = { number: plain(number), reference: said(reference), text: plain(words.join("\n")), numbers: isSaid(phone) ? String(phone).replace(/\D/g, "") : "" };
  made.set(order, found);
  return found;
}

/** The shop's own JSON may hold anything. */
const isSaid = (value: unknown): value is string | number => typeof value === "string" || typeof value === "number";
