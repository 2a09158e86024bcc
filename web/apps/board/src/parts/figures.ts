/** The day's figures as words and numbers. Pure. */

import type { Stats, Workflow } from "@ordercast/client";
import { waitsIn } from "./statuses.ts";
import { exactSpan } from "./times.ts";
import { figures as words } from "./words.ts";

/** Seconds as people read them; "–" where there is nothing. */
export const seconds = (value: number | null): string => (value === null ? "–" : exactSpan(Math.round(value)));

/** ms as people read them: "85 ms", "1.2 s". */
export const milliseconds = (value: number | null): string =>
  value === null ? "–" : value < 999.5 ? `${Math.round(value)} ms` : value < 9_950 ? `${(value / 1000).toFixed(1)} s` : exactSpan(Math.round(value / 1000));

export interface StatusFigures {
  readonly name: string;
  readonly label: string;
  /** Whether orders wait in it. */
  readonly open: boolean;
  /** How many are in it now or, where nothing is done any more, came into it today. */
  readonly orders: number;
  /** Stays in it that ended today. */
  readonly stays: number;
  readonly median: string;
  readonly p90: string;
}

/** One for each status of the workflow, in its order. */
export const byStatus = (stats: Stats, workflow: Workflow): StatusFigures[] =>
  workflow.statuses.map((status) => {
    const { name, label } = status;
    const { count, median, p90 } = stats.timeInStatus[name] ?? { count: 0, median: null, p90: null };
    return { name, label, open: waitsIn(workflow, status), orders: stats.orders[name] ?? 0, stays: count, median: seconds(median), p90: seconds(p90) };
  });

export interface Share {
  readonly label: string;
  readonly from: number;
  readonly width: number;
}

/** How the open orders are spread over the statuses: parts of 100, side by side; none where there are no orders. */
export function shares(rows: readonly StatusFigures[]): Share[] {
  const open = rows.filter((row) => row.open && row.orders > 0);
  const all = open.reduce((sum, { orders }) => sum + orders, 0);
  let from = 0;
  return open.map(({ label, orders }) => {
    const share = { label, from, width: (100 * orders) / all };
    from += share.width;
    return share;
  });
}

/** "Median 1 min 20 s, 9 of 10 within 4 min" */
export const spread = ({ count, median, p90 }: Stats["firstContact"]): string => (count === 0 ? words.nothingYet : words.spread(seconds(median), seconds(p90)));
