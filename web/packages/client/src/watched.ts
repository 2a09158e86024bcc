/** One order that somebody watches. */

import { key, type Order } from "./models.ts";
import { Observable } from "./observable.ts";
import type { Interest, OrderStore } from "./store.ts";

export interface OrderState {
  /** As far as it is known; `undefined` before the first answer. */
  readonly order: Order | undefined;
  /** Whether nothing of it is missing. Where something is, it is being fetched. */
  readonly complete: boolean;
  /** Why it cannot be had: a `Problem` with status 404 for what is not there or not yours. */
  readonly error: Error | undefined;
}

export class WatchedOrder implements Interest {
  readonly id: string;
  readonly state = new Observable<OrderState>({ order: undefined, complete: false, error: undefined });
  /** How many watch it. */
  uses = 0;
  /** Whether the server has said that we watch it. */
  acknowledged = false;
  /** The server does not tell of it on this connection: what REST says would soon be old. */
  denied = false;
  readonly #store: OrderStore;
  /** The error is from before: it is asked for again. */
  #again = false;

  constructor(id: string, store: OrderStore) {
    this.id = id;
    this.#store = store;
  }

  get names(): readonly string[] {
    return [this.id];
  }

  get ready(): boolean {
    const { complete, error } = this.state.current;
    return complete || (error !== undefined && !this.#again);
  }

  wants(id: string): boolean {
    return id === this.id;
  }

  changed(id: string): void {
    if (id !== this.id || this.denied) return;
    const { order, complete } = this.#store.get(id);
    const { order: shown, error } = this.state.current;
    if (order !== undefined) this.state.set({ order, complete, error: undefined });
    else if (error === undefined && this.state.current.complete) this.state.set({ order: shown, complete: false, error });
  }

  gone(id: string, error: Error): void {
    if (id === this.id) this.failed(error);
  }

  failed(error: Error): void {
    this.#again = false;
    this.state.set({ order: undefined, complete: false, error });
  }

  deny(error: Error): void {
    this.denied = true;
    this.failed(error);
  }

  retry(): void {
    this.denied = false;
    this.#again = true;
  }

  forget(): void {
    this.state.set({ order: this.state.current.order, complete: false, error: undefined });
  }
}

/** Newest first; of the same moment, by id, so that the sequence is always the same. */
export function byNewest(a: Order, b: Order): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1;
  const [one, other] = [key(a.orderId), key(b.orderId)];
  return one < other ? 1 : one > other ? -1 : 0;
}
