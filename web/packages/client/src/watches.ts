/** Who watches what: subscriptions, and what the server is told of them. */

import type { WatchDenied } from "./events.ts";
import { orderKey } from "./ids.ts";
import { OrderList, type OrderFilter, type OrdersState } from "./list.ts";
import { key, type Id, type OrderPage } from "./models.ts";
import { Observable } from "./observable.ts";
import { Problem, type Rest } from "./rest.ts";
import type { OrderStore } from "./store.ts";
import { WatchedOrder, type OrderState } from "./watched.ts";

export interface Subscription<State> {
  /** Replaced with each change, never changed. */
  readonly current: State;
  /** Calls `listener` after each change; returns a function that ends that. */
  subscribe(listener: () => void): () => void;
  /** Ends it all. Twice does no harm. */
  unsubscribe(): void;
}

export type OrderSubscription = Subscription<OrderState> & { readonly orderId: string };
export type OrdersSubscription = Subscription<OrdersState>;

export class Watches {
  readonly #store: OrderStore;
  readonly #rest: Rest;
  readonly #say: (name: "watch:order" | "unwatch:order", id: string) => void;
  readonly #orders = new Map<string, WatchedOrder>();

  constructor(store: OrderStore, rest: Rest, say: (name: "watch:order" | "unwatch:order", id: string) => void) {
    this.#store = store;
    this.#rest = rest;
    this.#say = say;
  }

  order(given: Id): OrderSubscription {
    let id: string;
    try {
      id = orderKey(given);
    } catch (error) {
      const nothing = new Observable<OrderState>({ order: undefined, complete: false, error: error as TypeError });
      return Object.assign(subscription(nothing, () => undefined), { orderId: key(given) });
    }
    let watched = this.#orders.get(id);
    if (watched === undefined) {
      watched = new WatchedOrder(id, this.#store);
      this.#orders.set(id, watched);
      this.#store.add(watched);
      watched.changed(id); // another may have brought it already
      this.#say("watch:order", id);
    }
    watched.uses += 1;
    return Object.assign(subscription(watched.state, () => this.#release(watched)), { orderId: id });
  }

  orders(filter: OrderFilter): OrdersSubscription {
    const list = new OrderList(filter, this.#store, (query) => this.#rest.call<OrderPage>("GET", "orders", { query }));
    this.#store.add(list);
    return subscription(list.state, () => this.#store.delete(list));
  }

  /** A socket is there. Who was `recovered` is still watching what the server has acknowledged. */
  connected(recovered: boolean): void {
    for (const watched of this.#orders.values()) {
      watched.acknowledged &&= recovered;
      watched.denied = false;
      if (!watched.acknowledged) this.#say("watch:order", watched.id);
    }
  }

  acknowledged(id: string): void {
    const watched = this.#orders.get(id);
    if (watched === undefined) return;
    watched.acknowledged = true;
    watched.denied = false;
  }

  denied({ orderId, error }: WatchDenied): void {
    if (orderId === null) return;
    const id = key(orderId);
    const watched = this.#orders.get(id);
    if (watched !== undefined) watched.acknowledged = false;
    if (error === "too_many_watches") {
      const detail = "This connection watches as many orders as it may. Unsubscribe from some.";
      watched?.deny(new Problem(429, { type: "urn:ordercast:too-many-watches", title: error, detail }));
    } else {
      this.gone(id);
    }
  }

  /** The order is not there for us (any more): watched, or in a list alone. */
  gone(id: string): void {
    const watched = this.#orders.get(id);
    if (watched !== undefined) watched.acknowledged = false;
    const detail = `There is no order ${id}, or it is not yours.`;
    this.#store.lose(id, new Problem(404, { type: "urn:ordercast:not-found", title: "not_found", detail }));
  }

  #release(watched: WatchedOrder): void {
    watched.uses -= 1;
    if (watched.uses > 0) return;
    this.#orders.delete(watched.id);
    this.#store.delete(watched);
    this.#say("unwatch:order", watched.id);
  }
}

function subscription<State>(state: Observable<State>, end: () => void): Subscription<State> {
  const ends = new Set<() => void>();
  let ended = false;
  return {
    get current() {
      return state.current;
    },
    subscribe: (listener) => {
      const stop = state.subscribe(listener);
      ends.add(stop);
      return () => {
        ends.delete(stop);
        stop();
      };
    },
    unsubscribe: () => {
      if (ended) return;
      ended = true;
      for (const stop of ends) stop();
      end();
    },
  };
}
