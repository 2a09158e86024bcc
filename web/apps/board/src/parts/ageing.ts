/** How long an open order has waited, measured by the shop's targets. Pure, but for the memory of one page. */

import { key, type Order } from "@ordercast/client";

/** `none`: there is nothing to measure by. */
export type Level = "none" | "fresh" | "due" | "late";

/** Seconds that an order should stay in a status at most; `null` or absent: no target. */
export type Targets = Readonly<Record<string, number | null | undefined>>;

/** The part of its time after which an order is due. */
const DUE = 0.7;

const LEVELS: readonly Level[] = ["none", "fresh", "due", "late"];

/** Times (ms since the epoch) that an order is due and late at. */
interface Span {
  readonly due: number;
  readonly late: number;
}

/**
 * Of an open order: the worse of its stay in its status against that status' target, and of its whole life against
 * `expectedAt`. `since`: when it came into its status, in ms since the epoch, as `now`.
 */
export function level(order: Order, targets: Targets, now: number, since: number = Date.parse(order.updatedAt)): Level {
  return worst(spans(order, targets, since), now);
}

/** When `level` next says something else (ms since the epoch); `null`: never, as things are. */
export function nextChange(order: Order, targets: Targets, now: number, since: number = Date.parse(order.updatedAt)): number | null {
  const all = spans(order, targets, since);
  const is = worst(all, now);
  const moments = all.flatMap(({ due, late }) => [due, late]).filter((at) => at > now && worst(all, at) !== is);
  return moments.length === 0 ? null : Math.min(...moments);
}

function spans(order: Order, targets: Targets, since: number): Span[] {
  const target = targets[order.status];
  const found: Span[] = [];
  if (target !== undefined && target !== null) found.push(span(since, since + target * 1000));
  if (order.expectedAt !== null) found.push(span(Date.parse(order.createdAt), Date.parse(order.expectedAt)));
  return found;
}

const span = (begin: number, late: number): Span => ({ due: Math.min(late, Math.ceil(begin + (late - begin) * DUE)), late });

function worst(all: readonly Span[], now: number): Level {
  const ranks = all.map(({ due, late }) => (now >= late ? 3 : now >= due ? 2 : 1));
  return LEVELS[Math.max(0, ...ranks)]!;
}

/**
 * Remembers when each order came into its status. `updatedAt` says that only until something else is changed: the
 * page that has seen the order move keeps the moment.
 */
export class StatusTimes {
  readonly #seen = new Map<string, { status: string; at: number }>();

  /** When it came into its status, in ms since the epoch, as far as this page knows. */
  since(order: Order): number {
    const id = key(order.orderId);
    const seen = this.#seen.get(id);
    if (seen?.status === order.status) return seen.at;
    const at = Date.parse(order.version === 1 ? order.createdAt : order.updatedAt);
    this.#seen.set(id, { status: order.status, at });
    return at;
  }

  /** No longer of interest. */
  forget(order: Order): void {
    this.#seen.delete(key(order.orderId));
  }
}
