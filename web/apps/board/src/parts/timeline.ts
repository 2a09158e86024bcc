/** An order's history as people read it. Pure. */

import type { History, HistoryEntry, Id, Workflow } from "@ordercast/client";
import { labelOf } from "./statuses.ts";
import { timeline as words } from "./words.ts";

export interface Moment {
  readonly version: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly text: string;
  readonly by: Id | null;
  readonly reason: string | null;
  /** By the shop's backend, past the workflow. */
  readonly forced: boolean;
  /** Where it came into another status: seconds that it was in the one before, and what that is called. */
  readonly before: { readonly label: string; readonly seconds: number } | null;
}

/** Oldest first. */
export function moments(events: readonly HistoryEntry[], workflow: Workflow): Moment[] {
  const inOrder = [...events].sort((a, b) => a.version - b.version);
  let since: number | null = null;
  return inOrder.map((event) => {
    const at = Date.parse(event.at);
    const moved = event.previousStatus !== null;
    const before = moved && since !== null ? { label: labelOf(workflow, event.previousStatus!), seconds: Math.max(0, (at - since) / 1000) } : null;
    if (moved || event.kind === "created") since = at;
    return { version: event.version, at, text: textOf(event, workflow), by: event.updatedBy ?? null, reason: event.reason ?? null, forced: event.forced ?? false, before };
  });
}

function textOf(event: HistoryEntry, workflow: Workflow): string {
  const status = labelOf(workflow, event.status);
  const named = event.changed.map((field) => words.fields[field] ?? field);
  switch (event.kind) {
    case "created":
      return words.created(status);
    case "contacted":
      return words.contacted;
    case "claimed":
      return words.claimed;
    case "released":
      return words.released;
    default:
      return event.previousStatus === null ? words.changed(named) : named.length === 0 ? status : words.movedAnd(status, named);
  }
}

/** Whether an order has been in a status; of all, where that is not known. `undefined`: not heard yet, in none. */
export function hasBeen(history: Pick<History, "events" | "complete"> | undefined, failed: boolean): (status: string) => boolean {
  if (history === undefined || !history.complete) return () => failed || history !== undefined;
  const names = new Set(history.events.flatMap(({ status, previousStatus }) => [status, previousStatus]));
  return (status) => names.has(status);
}

/** Who changed a field last; `null`: nobody is known to have. */
export function lastChangedBy(events: readonly HistoryEntry[], field: string): Id | null {
  const found = [...events].sort((a, b) => b.version - a.version).find(({ changed }) => changed.includes(field));
  return found?.updatedBy ?? null;
}
