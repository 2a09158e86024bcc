/** Orders grouped by status and sorted, kept so change by change. Pure. */

import { key, type Order } from "@ordercast/client";
import type { Changes } from "./changes.ts";

export type Compare = (a: Order, b: Order) => number;

/** Who has waited longest comes first; of the same moment, by id, so that the sequence is always the same. */
export const oldestFirst: Compare = (a, b) => {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  const [one, other] = [key(a.orderId), key(b.orderId)];
  return one < other ? -1 : one > other ? 1 : 0;
};

const NONE: readonly string[] = [];

/** Past this share of what is there, sorting anew is cheaper than placing one by one. */
const MANY = 1 / 8;

export class Columns {
  readonly #compare: Compare;
  readonly #orders = new Map<string, Order>();
  readonly #columns = new Map<string, readonly string[]>();

  constructor(compare: Compare = oldestFirst) {
    this.#compare = compare;
  }

  /** One without orders, that sorts alike, or by `compare`. */
  empty(compare: Compare = this.#compare): Columns {
    return new Columns(compare);
  }

  get(id: string): Order | undefined {
    return this.#orders.get(id);
  }

  /** The ids in a column, in order: the same array until one comes, goes or changes its place. */
  column(status: string): readonly string[] {
    return this.#columns.get(status) ?? NONE;
  }

  values(): IterableIterator<Order> {
    return this.#orders.values();
  }

  get size(): number {
    return this.#orders.size;
  }

  /** Takes changes in; returns the statuses whose columns are others now. */
  apply({ set, gone }: Changes): ReadonlySet<string> {
    const work = new Work(this.#columns, this.#orders, this.#compare);
    const many = set.length + gone.length > this.#orders.size * MANY;
    for (const id of gone) {
      const old = this.#orders.get(id);
      if (old === undefined) continue;
      work.take(id, old, many);
      this.#orders.delete(id);
    }
    for (const order of set) {
      const id = key(order.orderId);
      const old = this.#orders.get(id);
      if (old !== undefined && old.status === order.status && this.#compare(old, order) === 0) {
        this.#orders.set(id, order);
        continue;
      }
      if (old !== undefined) work.take(id, old, many);
      this.#orders.set(id, order);
      work.put(id, order, many);
    }
    return work.finish();
  }
}

/** One batch: copies of the columns that it touches. */
class Work {
  readonly #columns: Map<string, readonly string[]>;
  readonly #orders: ReadonlyMap<string, Order>;
  readonly #compare: Compare;
  readonly #open = new Map<string, string[]>();
  readonly #unsorted = new Map<string, { out: Set<string>; in: Set<string> }>();

  constructor(columns: Map<string, readonly string[]>, orders: ReadonlyMap<string, Order>, compare: Compare) {
    this.#columns = columns;
    this.#orders = orders;
    this.#compare = compare;
  }

  take(id: string, order: Order, many: boolean): void {
    if (many) {
      const { out, in: into } = this.#later(order.status);
      if (!into.delete(id)) out.add(id);
      return;
    }
    const ids = this.#copy(order.status);
    ids.splice(this.#place(ids, order), 1);
  }

  /** The order is in `orders` already. */
  put(id: string, order: Order, many: boolean): void {
    if (many) {
      this.#later(order.status).in.add(id);
      return;
    }
    const ids = this.#copy(order.status);
    ids.splice(this.#place(ids, order), 0, id);
  }

  finish(): ReadonlySet<string> {
    for (const [status, { out, in: into }] of this.#unsorted) {
      const ids = (this.#columns.get(status) ?? NONE).filter((id) => !out.has(id));
      this.#open.set(status, [...ids, ...into].sort((a, b) => this.#compare(this.#orders.get(a)!, this.#orders.get(b)!)));
    }
    for (const [status, ids] of this.#open) this.#columns.set(status, ids);
    return new Set(this.#open.keys());
  }

  #copy(status: string): string[] {
    let ids = this.#open.get(status);
    if (ids === undefined) this.#open.set(status, (ids = [...(this.#columns.get(status) ?? NONE)]));
    return ids;
  }

  #later(status: string): { out: Set<string>; in: Set<string> } {
    let later = this.#unsorted.get(status);
    if (later === undefined) this.#unsorted.set(status, (later = { out: new Set(), in: new Set() }));
    return later;
  }

  /** Where the order is, or would be. */
  #place(ids: readonly string[], order: Order): number {
    let [low, high] = [0, ids.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.#orders.get(ids[middle]!)!, order) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
