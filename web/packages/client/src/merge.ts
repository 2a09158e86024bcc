/**
 * What is known of one order, merged from snapshots and events by version. Pure.
 *
 * A version names one state of an order, and events carry only what changed in it. So each field is kept with the
 * version it is of and only a newer one replaces it: in whatever order, and however often, snapshots and events come,
 * the outcome is the same. What is known is whole where no version between a snapshot and the newest is unheard of.
 */

import type { OrderChanged, OrderCreated, OrderUpdated, Watching } from "./events.ts";
import type { Order } from "./models.ts";

export interface Known {
  /** The newest version anything has told of. */
  readonly version: number;
  /** Every version up to this one is contained; 0: there has been no snapshot. */
  readonly whole: number;
  /** Versions past `whole` that have been heard, ascending. */
  readonly heard: readonly number[];
  readonly fields: Readonly<Partial<Order>>;
  /** The version that each field is of. */
  readonly of: Readonly<Record<string, number>>;
}

export const NOTHING: Known = { version: 0, whole: 0, heard: [], fields: {}, of: {} };

/** Takes in a whole order, from REST or `order:created`. */
export function withSnapshot(known: Known, order: Order | OrderCreated): Known {
  const { version, position: _, ...fields } = order as OrderCreated;
  // A snapshot wins over an event of its own version, which may carry a value from later on; a later event brings that.
  const next = written(known, fields, version, (of) => of <= version);
  return settled(next, Math.max(known.whole, version));
}

/** Takes in `order:updated`, `order:status_changed` or `order:changed`. */
export function withEvent(known: Known, event: OrderUpdated | OrderChanged): Known {
  const { version } = event;
  const next = written(known, "changes" in event ? event.changes : statusOf(event), version, (of) => of < version);
  if (version <= next.whole || next.heard.includes(version)) return next;
  return settled({ ...next, heard: [...next.heard, version].sort((a, b) => a - b) }, next.whole);
}

/** Takes in `watching`: a version and its status, and nothing of how the order came to it. */
export function withGlimpse(known: Known, { status, version }: Pick<Watching, "status" | "version">): Known {
  return written(known, { status }, version, (of) => of < version);
}

/** Whether no version up to the newest is missing; otherwise a snapshot must be fetched. */
export const isComplete = (known: Known): boolean => known.whole > 0 && known.whole >= known.version;

/**
 * The order, or `undefined` before there was a snapshot. Events do not carry `step`: `stepOf` tells that of a status.
 */
export function toOrder(known: Known, stepOf: (status: string) => number | undefined = () => undefined): Order | undefined {
  if (known.whole === 0) return undefined;
  const order = { ...(known.fields as Order), version: known.version };
  return { ...order, step: stepOf(order.status) ?? order.step };
}

function statusOf(event: OrderUpdated): Partial<Order> {
  return { status: event.status, statusSince: event.updatedAt, updatedAt: event.updatedAt };
}

function written(known: Known, values: Partial<Order>, version: number, replaces: (of: number) => boolean): Known {
  const fields: Record<string, unknown> = { ...known.fields };
  const of: Record<string, number> = { ...known.of };
  for (const [name, value] of Object.entries(values)) {
    if (!replaces(of[name] ?? 0)) continue;
    fields[name] = value;
    of[name] = version;
  }
  return { ...known, fields: fields as Partial<Order>, of, version: Math.max(known.version, version) };
}

/** Counts what was heard right after `whole` as contained too. Events alone make no whole order. */
function settled(known: Known, whole: number): Known {
  const rest = known.heard.filter((version) => version > whole);
  while (whole > 0 && rest[0] === whole + 1) whole = rest.shift()!;
  return { ...known, whole, heard: rest };
}
