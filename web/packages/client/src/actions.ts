/** What an application may ask and change, over REST. Answers are merged into what is watched. */

import { orderKey } from "./ids.ts";
import { key, type Board, type Id, type NewOrder, type Order, type OrderPage, type OrderPatch, type Presence, type Stats, type Targets, type Workflow } from "./models.ts";
import type { CallOptions, Rest } from "./rest.ts";
import type { OrderStore } from "./store.ts";

export interface ChangeOptions {
  /** Refused with a `Problem` of status 409 where the order has moved on since. */
  expectedVersion?: number | undefined;
  reason?: string | undefined;
}

/** Which orders, newest first. */
export interface OrderSearch {
  /** A part of the order's id, its reference, or its contact's name or phone; without regard to case and accents. */
  q?: string | undefined;
  /** One status, or several; none: all. */
  status?: string | readonly string[] | undefined;
  customerId?: Id | undefined;
  /** 1 to 500. */
  limit?: number | undefined;
  /** The `next` of the page before. */
  cursor?: string | undefined;
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

  /** The order as it is: never older than what is shown of it. */
  async getOrder(id: Id): Promise<Order> {
    const order = await this.#order("GET", id);
    const { order: known, complete } = this.#store.get(orderKey(id));
    return complete && known !== undefined && known.version > order.version ? known : order;
  }

  /** One page of what the token may see. */
  listOrders({ status, ...rest }: OrderSearch = {}): Promise<OrderPage> {
    return this.call("GET", "orders", { query: { ...rest, status: status === undefined ? status : [status].flat().join(",") } });
  }

  createOrder(order: NewOrder, idempotencyKey: string = newKey()): Promise<Order> {
    return this.#taken(() => this.call("POST", "orders", { body: order, idempotencyKey }));
  }

  changeOrder(id: Id, change: OrderPatch): Promise<Order> {
    return this.#order("PATCH", id, "", { body: change });
  }

  changeStatus(id: Id, status: string, { expectedVersion, reason }: ChangeOptions = {}): Promise<Order> {
    return this.changeOrder(id, { status, expectedVersion, reason } as OrderPatch); // JSON leaves out what is undefined
  }

  /** A person has contacted the customer. */
  contact(id: Id): Promise<Order> {
    return this.#order("POST", id, "/contact", { idempotencyKey: newKey() });
  }

  /** Takes an order; `from`: over from this user. Refused with a `Problem` of status 409, whose `details.claimedBy` has it. */
  claim(id: Id, { from }: { from?: Id | undefined } = {}): Promise<Order> {
    return this.#order("POST", id, "/claim", { body: { from }, idempotencyKey: newKey() });
  }

  /** Gives an order back. */
  release(id: Id): Promise<Order> {
    return this.#order("POST", id, "/release", { idempotencyKey: newKey() });
  }

  /** Figures of the day. */
  stats(): Promise<Stats> {
    return this.call("GET", "stats");
  }

  /** Who is online. */
  presence(): Promise<Presence> {
    return this.call("GET", "presence");
  }

  /** How long an order may take in each status, and who asks. `board:changed` tells of new targets. */
  board(): Promise<Board> {
    return this.call("GET", "board");
  }

  /** Sets all targets, for every board: seconds by status; `null` or absent: none. */
  setTargets(targets: Targets): Promise<Board> {
    return this.call("PUT", "board", { body: { targets } });
  }

  /** The statuses and the steps between them. Asked once. */
  workflow(): Promise<Workflow> {
    this.#workflow ??= this.call<Workflow>("GET", "workflow").catch((error: unknown) => {
      this.#workflow = undefined;
      throw error;
    });
    return this.#workflow;
  }

  #order(method: string, id: Id, rest?: string, options?: CallOptions): Promise<Order> {
    return this.#taken(() => orderAt(this.#rest, method, id, rest, options));
  }

  async #taken(ask: () => Promise<Order>): Promise<Order> {
    const take = this.#store.taker();
    const order = await ask();
    take([order]);
    return order;
  }
}

/** One request to `/api/orders/{id}`, answered with that order: whatever else comes, from whatever stands between, is no answer. */
export async function orderAt(rest: Rest, method: string, id: Id, under = "", options?: CallOptions): Promise<Order> {
  const name = orderKey(id);
  const order = await rest.call<Order | null>(method, `orders/${encodeURIComponent(name)}${under}`, options);
  if (order === null || key(order.orderId) !== name) throw new Error(`The answer is not order ${name}. Does the client's URL lead to an Ordercast server?`);
  return order;
}

/** Need not be secret, only unlike any other. */
const newKey = (): string => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`;
