/**
 * Which events are news. A torn connection may bring events again, and so may a change from the socket to polling; the
 * log's position says which have been. Events of one position (an order's status and its other changes) differ by name.
 */

import type { LogEventName } from "./events.ts";

export interface Arrivals {
  readonly position: number;
  /** What has come of that position. */
  readonly names: readonly LogEventName[];
}

export const startingAt = (position: number): Arrivals => ({ position, names: [] });

/** The arrivals with this one, or `null` where it has been before. */
export function arrival(before: Arrivals, name: LogEventName, position: number): Arrivals | null {
  if (position < before.position) return null;
  if (position > before.position) return { position, names: [name] };
  return before.names.includes(name) ? null : { position, names: [...before.names, name] };
}
