/** What an order's id may be. */

import { key, type Id } from "./models.ts";

/** The contract's, but for the two that no URL can hold: `.` and `..` are steps in it. */
const ORDER_ID = /^(?!\.\.?$)[A-Za-z0-9_.:-]{1,64}$/;

/** The id as text. Throws a `TypeError` for what is none: applications ask for orders whose id they have not got yet. */
export function orderKey(id: Id): string {
  const given: unknown = id;
  if (typeof given === "string" && ORDER_ID.test(given)) return given;
  if (typeof given === "number" && Number.isSafeInteger(given) && given >= 0) return key(given);
  const shown = typeof given === "string" ? `'${given.slice(0, 80)}'` : String(given);
  throw new TypeError(`${shown} is no order's id: give a whole number, or 1 to 64 of A-Z a-z 0-9 _ . : -`);
}
