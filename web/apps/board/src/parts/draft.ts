/** What somebody is about to change of an order that others may change meanwhile. Pure. */

import type { Order } from "@ordercast/client";
import { fromField, toField } from "./times.ts";

/** As the form's fields have them. */
export interface Fields {
  readonly note: string;
  readonly expectedAt: string;
}

export interface Draft {
  /** What the order had when it was last agreed with. */
  readonly base: Fields;
  readonly now: Fields;
}

export type Field = keyof Fields;

const FIELDS: readonly Field[] = ["note", "expectedAt"];

const fieldsOf = (order: Order): Fields => ({ note: order.note ?? "", expectedAt: toField(order.expectedAt) });

export const begin = (order: Order): Draft => ({ base: fieldsOf(order), now: fieldsOf(order) });

export const edit = (draft: Draft, field: Field, value: string): Draft => ({ ...draft, now: { ...draft.now, [field]: value } });

export const edited = ({ base, now }: Draft): Field[] => FIELDS.filter((field) => now[field] !== base[field]);

/** The draft beside the order as it is now: what nobody types in follows it, and what both say alike is agreed. */
export function follow(draft: Draft, order: Order): Draft {
  const theirs = fieldsOf(order);
  const agreed = FIELDS.filter((field) => draft.now[field] === draft.base[field] || draft.now[field] === theirs[field]);
  if (agreed.every((field) => draft.base[field] === theirs[field] && draft.now[field] === theirs[field])) return draft;
  const taken = Object.fromEntries(agreed.map((field) => [field, theirs[field]]));
  return { base: { ...draft.base, ...taken }, now: { ...draft.now, ...taken } };
}

/** The fields that somebody else has changed as well, to something else. */
export function conflicts(draft: Draft, order: Order): Field[] {
  const theirs = fieldsOf(order);
  return edited(draft).filter((field) => theirs[field] !== draft.base[field] && theirs[field] !== draft.now[field]);
}

/** Settles a conflict: with one's own words, or with theirs. */
export function settle(draft: Draft, order: Order, field: Field, mine: boolean): Draft {
  const value = fieldsOf(order)[field];
  return { base: { ...draft.base, [field]: value }, now: mine ? draft.now : { ...draft.now, [field]: value } };
}

/** What to send. */
export function patch(draft: Draft): { note?: string | null; expectedAt?: string | null } {
  const fields = edited(draft);
  return {
    ...(fields.includes("note") ? { note: draft.now.note.trim() === "" ? null : draft.now.note } : {}),
    ...(fields.includes("expectedAt") ? { expectedAt: fromField(draft.now.expectedAt) } : {}),
  };
}
