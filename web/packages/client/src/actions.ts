/** What an application may ask and change, over REST. Answers are merged into what is watched. */

import type { Id, NewOrder, Order, OrderPage, OrderPatch, Workflow } from "./models.ts";
import type { CallOptions, Query, Rest } from "./rest.ts";
import type { OrderStore } from "./store.ts";

export interface ChangeOptions {
  /** Refused with a `Problem` of status 409 where the order has moved on since. */
  expectedVersion?: number | undefined;
  reason?: string | undefined;
}

export class Actions {
  readonly #rest: Rest;
  readonly #store: OrderStore;
  #workflow: Promise<Workflow> | undefined;

  constructor(rest: Rest, store: OrderStore) {
    this.#rest = rest;
    this.#store = store;
  }

  /** A request to `/api/{path}`. Rejects with `Problem` where the server says no. */
  call<T>(method: string, path: string, options?: CallOptions): Promise<T> {
    return this.#rest.call<T>(method, path, options);
  }

  getOrder(id: Id): Promise<Order> {
    return this.#order("GET", path(id));
  }

  /** One page; `cursor` is the `next` of the page before. */
  listOrders(query: Query = {}): Promise<OrderPage> {
    return this.call("GET", "orders", { query });
  }

  createOrder(order: NewOrder, idempotencyKey: string = newKey()): Promise<Order> {
    return this.#order("POST", "orders", { body: order, idempotencyKey });
  }

  changeOrder(id: Id, change: OrderPatch): Promise<Order> {
    return this.#order("PATCH", path(id), { body: change });
  }

  changeStatus(id: Id, status: string, { expectedVersion, reason }: ChangeOptions = {}): Promise<Order> {
    return this.changeOrder(id, { status, expectedVersion, reason } as OrderPatch); // JSON leaves out what is undefined
  }

  /** A person has contacted the customer. */
  contact(id: Id): Promise<Order> {
    return this.#order("POST", `${path(id)}/contact`, { idempotencyKey: newKey() });
  }

  /** The statuses and the steps between them. Asked once. */
  workflow(): Promise<Workflow> {
    this.#workflow ??= this.call<Workflow>("GET", "workflow").catch((error: unknown) => {
      this.#workflow = undefined;
      throw error;
    });
    return this.#workflow;
  }

  async #order(method: string, path: string, options?: CallOptions): Promise<Order> {
    const take = this.#store.taker();
    const order = await this.call<Order>(method, path, options);
    take([order]);
    return order;
  }
}

const path = (id: Id): string => `orders/${encodeURIComponent(id)}`;

/** Need not be secret, only unlike any other. */
const newKey = (): string => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`;
