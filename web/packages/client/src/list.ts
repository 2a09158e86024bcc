/** A live list of orders: the pages of `GET /api/orders`, kept current by events. */

import type { Known } from "./merge.ts";
import { key, type Id, type Order, type OrderPage } from "./models.ts";
import { Observable } from "./observable.ts";
import type { Query } from "./rest.ts";
import type { Interest, OrderStore } from "./store.ts";
import { byNewest } from "./watched.ts";

export interface OrderFilter {
  /** One status, or several; none: all. */
  readonly status?: string | readonly string[] | undefined;
  readonly customerId?: Id | undefined;
  /** How many are loaded at most, newest first (500). Those that events bring come on top. */
  readonly limit?: number | undefined;
}

export interface OrdersState {
  /** Newest first. The same array until something changes. The first time, what has come so far while the rest is loaded. */
  readonly orders: readonly Order[];
  /** Whether everything has been loaded. */
  readonly complete: boolean;
  readonly error: Error | undefined;
}

const DEFAULT_LIMIT = 500;
const FIRST = 100; // few, so that there is something to see at once
const PAGE = 500; // as many as the server gives

type FetchPage = (query: Query) => Promise<OrderPage>;

export class OrderList implements Interest {
  readonly names = [];
  readonly state = new Observable<OrdersState>({ orders: [], complete: false, error: undefined });
  /** What is in `orders`, by id. */
  readonly #shown = new Map<string, Order>();
  readonly #store: OrderStore;
  readonly #fetch: FetchPage;
  readonly #statuses: readonly string[] | undefined;
  readonly #customer: string | undefined;
  readonly #limit: number;
  position: number | undefined;
  /** Whether it has ever been complete: from then on, what it had stays until all is there anew. */
  #whole = false;
  /** The error is from before: it is asked for again. */
  #again = false;

  constructor(filter: OrderFilter, store: OrderStore, fetch: FetchPage) {
    this.#store = store;
    this.#fetch = fetch;
    this.#statuses = filter.status === undefined ? undefined : [filter.status].flat();
    this.#customer = filter.customerId === undefined ? undefined : key(filter.customerId);
    this.#limit = filter.limit ?? DEFAULT_LIMIT;
  }

  get ready(): boolean {
    const { complete, error } = this.state.current;
    return complete || (error !== undefined && !this.#again);
  }

  wants(_: string, { fields }: Known): boolean {
    return this.#matches(fields);
  }

  async load(store: OrderStore): Promise<void> {
    const take = store.taker();
    let [count, cursor]: [number, string | undefined] = [0, undefined];
    for (;;) {
      const page: OrderPage = await this.#fetch({
        status: this.#statuses?.join(","),
        customerId: this.#customer,
        limit: Math.min(count === 0 ? FIRST : PAGE, this.#limit - count),
        cursor,
      });
      if (!take(page.orders)) return;
      if (count === 0) {
        this.position = page.position;
        store.beginning.look();
      }
      count += page.orders.length;
      cursor = page.next ?? undefined;
      if (cursor === undefined || count >= this.#limit) break;
      if (!this.#whole) this.#showAll(false);
    }
    this.#whole = true;
    this.#showAll(true);
  }

  #showAll(complete: boolean): void {
    const orders = this.#all();
    this.#shown.clear();
    for (const order of orders) this.#shown.set(key(order.orderId), order);
    this.state.set({ orders, complete, error: undefined });
  }

  changed(id: string): void {
    if (!this.state.current.complete) return; // it is loading, and shows what it had
    const { order } = this.#store.get(id);
    const old = this.#shown.get(id);
    const now = order !== undefined && this.#matches(order) ? order : undefined;
    if (old !== now) this.#show(id, old, now);
  }

  /** Also while it is loading: nobody is shown what is not theirs. */
  gone(id: string): void {
    const old = this.#shown.get(id);
    if (old !== undefined) this.#show(id, old, undefined);
  }

  failed(error: Error): void {
    this.#again = false;
    this.state.set({ ...this.state.current, error });
  }

  retry(): void {
    this.#again = true;
  }

  forget(): void {
    this.position = undefined;
    this.state.set({ ...this.state.current, complete: false, error: undefined });
  }

  /** Found by halving and copied as a block: thousands of orders, and changes many times a second. */
  #show(id: string, old: Order | undefined, now: Order | undefined): void {
    const orders = [...this.state.current.orders];
    if (old !== undefined) orders.splice(placeOf(old, orders), 1);
    if (now !== undefined) orders.splice(placeOf(now, orders), 0, now);
    if (now === undefined) this.#shown.delete(id);
    else this.#shown.set(id, now);
    this.state.set({ ...this.state.current, orders });
  }

  #all(): Order[] {
    const orders = [...this.#store.ids()].map((id) => this.#store.get(id).order);
    return orders.filter((order) => order !== undefined && this.#matches(order)).sort((a, b) => byNewest(a!, b!)) as Order[];
  }

  #matches({ status, customerId }: Partial<Order>): boolean {
    if (this.#statuses !== undefined && status !== undefined && !this.#statuses.includes(status)) return false;
    return this.#customer === undefined || customerId === undefined || key(customerId) === this.#customer;
  }
}

/** Where an order is in a list, or would be. */
function placeOf(order: Order, orders: readonly Order[]): number {
  let [low, high] = [0, orders.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (byNewest(orders[middle]!, order) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
