/** From a client to whatever has a `dispatch`. */

import {
  key,
  Problem,
  type Connection,
  type Id,
  type OrdercastClient,
  type OrderFilter,
  type OrdersSubscription,
  type OrderSubscription,
} from "@ordercast/client";
import type { Action } from "@reduxjs/toolkit";
import {
  connectionChanged,
  listChanged,
  orderChanged,
  orderStatusUpdated,
  socketConnected,
  socketDisconnected,
  type Failure,
  type StatusUpdate,
} from "./actions.ts";

export type Dispatch = (action: Action) => unknown;

/** Dispatches what a client hears, from now until `stop`. */
export class Feed {
  readonly #client: OrdercastClient;
  readonly #dispatch: Dispatch;
  readonly #orders = new Map<string, { watched: OrderSubscription; uses: number }>();
  readonly #lists = new Map<string, OrdersSubscription>();
  readonly #ends: (() => void)[];
  #last: number | undefined;
  #live = false;

  constructor(client: OrdercastClient, dispatch: Dispatch) {
    this.#client = client;
    this.#dispatch = dispatch;
    const heard = (update: StatusUpdate & { position: number }) => this.#heard(update);
    this.#ends = [
      client.onConnection(() => this.#connection(client.connection)),
      client.on("order:updated", heard),
      client.on("order:status_changed", heard),
      client.on("resync", () => (this.#last = undefined)),
    ];
    this.#connection(client.connection);
  }

  watchOrder(orderId: Id): void {
    const id = key(orderId);
    const known = this.#orders.get(id);
    if (known !== undefined) {
      known.uses += 1;
      return;
    }
    const watched = this.#client.watchOrder(id);
    this.#orders.set(id, { watched, uses: 1 });
    const tell = () => {
      const { order, complete, error } = watched.current;
      this.#dispatch(orderChanged({ orderId: id, entry: { order, complete, error: failure(error) } }));
    };
    watched.subscribe(tell);
    tell();
  }

  unwatchOrder(orderId: Id): void {
    const id = key(orderId);
    const known = this.#orders.get(id);
    if (known === undefined) return;
    known.uses -= 1;
    if (known.uses > 0) return;
    known.watched.unsubscribe();
    this.#orders.delete(id);
    this.#dispatch(orderChanged({ orderId: id, entry: null }));
  }

  watchOrders(filter: OrderFilter, list: string): void {
    this.#lists.get(list)?.unsubscribe();
    const watched = this.#client.watchOrders(filter);
    this.#lists.set(list, watched);
    const tell = () => {
      const { orders, complete, error } = watched.current;
      this.#dispatch(listChanged({ list, entry: { orders, complete, error: failure(error) } }));
    };
    watched.subscribe(tell);
    tell();
  }

  unwatchOrders(list: string): void {
    const watched = this.#lists.get(list);
    if (watched === undefined) return;
    watched.unsubscribe();
    this.#lists.delete(list);
    this.#dispatch(listChanged({ list, entry: null }));
  }

  /** Ends it all but the client's connection. */
  stop(): void {
    for (const end of this.#ends.splice(0)) end();
    for (const { watched } of this.#orders.values()) watched.unsubscribe();
    for (const watched of this.#lists.values()) watched.unsubscribe();
    this.#orders.clear();
    this.#lists.clear();
  }

  #connection(connection: Connection): void {
    const live = connection.status === "live";
    const over = connection.status === "offline" && !connection.retrying && connection.reason !== "idle";
    this.#dispatch(connectionChanged(connection));
    if (live && !this.#live) this.#dispatch(socketConnected());
    else if (this.#live ? !live : over) {
      this.#dispatch(socketDisconnected({ reason: connection.status === "offline" ? connection.reason : "lost" }));
    }
    this.#live = live;
  }

  /** An operator who watches an order hears of its changes twice, one right after the other. */
  #heard({ orderId, status, updatedAt, version, position }: StatusUpdate & { position: number }): void {
    if (position === this.#last) return;
    this.#last = position;
    this.#dispatch(orderStatusUpdated({ orderId, status, updatedAt, version }));
  }
}

function failure(error: Error | undefined): Failure | undefined {
  if (error === undefined) return undefined;
  return { message: error.message, status: error instanceof Problem ? error.status : undefined };
}
