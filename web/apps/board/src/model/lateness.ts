/** Which orders are late, since when, and how many of each column: counted once per tick of the clock for all. */

import type { Order } from "@ordercast/client";
import { level, nextChange, type Targets } from "../parts/ageing.ts";
import type { Board } from "./board.ts";
import { clock } from "./clock.ts";

export class Lateness {
  readonly #board: Pick<Board, "visible">;
  readonly #targets: Targets;
  /** An order is replaced, never changed, so when it becomes late is found out once. */
  readonly #since = new WeakMap<Order, number>();
  #counts = new Map<string, number>();
  #at: number | undefined;

  constructor(board: Pick<Board, "visible">, targets: Targets) {
    this.#board = board;
    this.#targets = targets;
  }

  /** All of them, as of the last tick. */
  all(): number {
    this.#refresh();
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** As of the last tick. */
  in(status: string): number {
    this.#refresh();
    return this.#counts.get(status) ?? 0;
  }

  /** When the order becomes late, or became so (ms since the epoch); `Infinity`: never, as things are. */
  at(order: Order): number {
    let at = this.#since.get(order);
    if (at === undefined) this.#since.set(order, (at = lateAt(order, this.#targets)));
    return at;
  }

  #refresh(): void {
    if (this.#at !== clock.now()) this.#count(clock.now());
  }

  #count(now: number): void {
    this.#at = now;
    this.#counts = new Map();
    for (const order of this.#board.visible()) {
      if (this.at(order) <= now) this.#counts.set(order.status, (this.#counts.get(order.status) ?? 0) + 1);
    }
  }
}

/** When an order becomes late (ms since the epoch), as things are. */
export function lateAt(order: Order, targets: Targets): number {
  let at = 0;
  while (level(order, targets, at) !== "late") {
    const next = nextChange(order, targets, at);
    if (next === null) return Infinity;
    at = next;
  }
  return at;
}
