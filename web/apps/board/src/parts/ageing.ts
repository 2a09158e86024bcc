/** How long an open order has waited, measured by the shop's targets and by what its customer was promised. Pure. */

import type { Order } from "@ordercast/client";

/** `none`: there is nothing to measure by. */
export type Level = "none" | "fresh" | "due" | "late";

/** Seconds that an order should stay in a status at most; `null` or absent: no target. */
export type Targets = Readonly<Record<string, number | null | undefined>>;

/** The part of its time after which an order is due. */
const DUE = 0.7;

const LEVELS: readonly Level[] = ["none", "fresh", "due", "late"];

/** Times (ms since the epoch) that an order is due and late at. */
export interface Span {
  readonly due: number;
  readonly late: number;
}

/**
 * Of an open order: the worse of its stay in its status against that status' target, and of its whole life against
 * `expectedAt`. `now`: ms since the epoch.
 */
export function level(order: Order, targets: Targets, now: number): Level {
  return worst(spans(order, targets), now);
}

/** When `level` next says something else (ms since the epoch); `null`: never, as things are. */
export function nextChange(order: Order, targets: Targets, now: number): number | null {
  const all = spans(order, targets);
  const is = worst(all, now);
  const moments = all.flatMap(({ due, late }) => [due, late]).filter((at) => at > now && worst(all, at) !== is);
  return moments.length === 0 ? null : Math.min(...moments);
}

/** Its stay in its status against that status' target; `undefined`: there is none. */
export function stay(order: Order, targets: Targets): Span | undefined {
  const target = targets[order.status];
  const since = Date.parse(order.statusSince);
  return target === undefined || target === null ? undefined : span(since, since + target * 1000);
}

/** Its whole life against what its customer was promised; `undefined`: nothing. */
export function promise({ createdAt, expectedAt }: Order): Span | undefined {
  return expectedAt === null ? undefined : span(Date.parse(createdAt), Date.parse(expectedAt));
}

export const levelIn = (span: Span | undefined, now: number): Level => worst(span === undefined ? [] : [span], now);

const spans = (order: Order, targets: Targets): Span[] => [stay(order, targets), promise(order)].filter((span) => span !== undefined);

const span = (begin: number, late: number): Span => ({ due: Math.min(late, Math.ceil(begin + (late - begin) * DUE)), late });

function worst(all: readonly Span[], now: number): Level {
  const ranks = all.map(({ due, late }) => (now >= late ? 3 : now >= due ? 2 : 1));
  return LEVELS[Math.max(0, ...ranks)]!;
}
