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
  /** Newest first. The same array until something changes. */
  readonly orders: readonly Order[];
  /** Whether everything has been loaded. */
  readonly complete: boolean;
  readonly error: Error | undefined;
}

const DEFAULT_LIMIT = 500;
const PAGE = 200;

type FetchPage = (query: Query) => Promise<OrderPage>;

export class OrderList implements Interest {
  readonly names = [];
  readonly state = new Observable<OrdersState>({ orders: [], complete: false, error: undefined });
  readonly #store: OrderStore;
  readonly #fetch: FetchPage;
  readonly #statuses: readonly string[] | undefined;
  readonly #customer: string | undefined;
  readonly #limit: number;

  constructor(filter: OrderFilter, store: OrderStore, fetch: FetchPage) {
    this.#store = store;
    this.#fetch = fetch;
    this.#statuses = filter.status === undefined ? undefined : [filter.status].flat();
    this.#customer = filter.customerId === undefined ? undefined : key(filter.customerId);
    this.#limit = filter.limit ?? DEFAULT_LIMIT;
  }

  get ready(): boolean {
    const { complete, error } = this.state.current;
    return complete || error !== undefined;
  }

  wants(_: string, { fields }: Known): boolean {
    return this.#matches(fields);
  }

  async load(store: OrderStore): Promise<void> {
    const take = store.taker();
    const found: Order[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#fetch({
        status: this.#statuses?.join(","),
        customerId: this.#customer,
        limit: Math.min(PAGE, this.#limit - found.length),
        cursor,
      });
      found.push(...page.orders);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined && found.length < this.#limit);
    if (!take(found)) return;
    this.state.set({ orders: this.#all(), complete: true, error: undefined });
  }

  changed(id: string): void {
    if (!this.state.current.complete) return; // it is loading, and shows what it had
    const { orders } = this.state.current;
    const { order } = this.#store.get(id);
    const others = orders.filter((other) => key(other.orderId) !== id);
    if (order !== undefined && this.#matches(order)) {
      const place = others.findIndex((other) => byNewest(order, other) < 0);
      others.splice(place < 0 ? others.length : place, 0, order);
    } else if (others.length === orders.length) {
      return;
    }
    this.state.set({ ...this.state.current, orders: others });
  }

  failed(error: Error): void {
    this.state.set({ ...this.state.current, error });
  }

  forget(): void {
    this.state.set({ ...this.state.current, complete: false, error: undefined });
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
