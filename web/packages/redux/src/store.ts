/** The two ways to put it into a store: a middleware, as since 2016, and listeners, as of today. */

import { OrdercastClient, type ClientOptions } from "@ordercast/client";
import { isAnyOf } from "@reduxjs/toolkit";
import type { Dispatch as StoreDispatch, Middleware, MiddlewareAPI, TypedStartListening, UnknownAction } from "@reduxjs/toolkit";
import * as actions from "./actions.ts";
import { Feed, type Dispatch } from "./feed.ts";

/** The store, as far as a token may need it: `getState()`. */
export type Store = Pick<MiddlewareAPI, "getState">;

/** A client of yours, or what makes one when it is first needed. */
export type ClientSource = OrdercastClient | ((store: Store) => OrdercastClient);

/** What is wanted of a client, by the actions that say so. */
class Wishes {
  readonly #source: ClientSource;
  #client: OrdercastClient | undefined;
  #feed: Feed | undefined;

  constructor(source: ClientSource) {
    this.#source = source;
  }

  obey(action: unknown, store: Store, dispatch: Dispatch): void {
    const feed = () => (this.#feed ??= new Feed(this.#made(store), dispatch));
    if (actions.connectSocket.match(action)) {
      feed();
      this.#made(store).connect();
    } else if (actions.disconnectSocket.match(action)) this.#client?.disconnect();
    else if (actions.watchOrder.match(action)) feed().watchOrder(action.payload);
    else if (actions.unwatchOrder.match(action)) this.#feed?.unwatchOrder(action.payload);
    else if (actions.watchOrders.match(action)) feed().watchOrders(action.payload.filter, action.payload.list);
    else if (actions.unwatchOrders.match(action)) this.#feed?.unwatchOrders(action.payload);
  }

  stop(): void {
    this.#feed?.stop();
    this.#feed = undefined;
  }

  #made(store: Store): OrdercastClient {
    return (this.#client ??= typeof this.#source === "function" ? this.#source(store) : this.#source);
  }
}

/**
 * A middleware that obeys `connectSocket`, `watchOrder` and the others, and dispatches what is heard.
 *
 * `source`: a client, or a function of the store that makes one: `({ getState }) => new OrdercastClient(url, { token:
 * () => getState().auth.token })`.
 */
export function ordercastMiddleware(source: ClientSource): Middleware {
  return (api) => {
    const wishes = new Wishes(source);
    return (next) => (action) => {
      const result = next(action);
      wishes.obey(action, api, api.dispatch as Dispatch);
      return result;
    };
  };
}

const isWish = isAnyOf(
  actions.connectSocket,
  actions.disconnectSocket,
  actions.watchOrder,
  actions.unwatchOrder,
  actions.watchOrders,
  actions.unwatchOrders,
);

/** The same as a listener of `createListenerMiddleware().startListening`; returns what ends it. */
export function startOrdercast<State, D extends StoreDispatch<UnknownAction>>(
  startListening: TypedStartListening<State, D>,
  source: ClientSource,
): () => void {
  const wishes = new Wishes(source);
  const stop = startListening({
    matcher: isWish,
    effect: (action, api) => wishes.obey(action, api, api.dispatch),
  });
  return () => {
    (stop as () => void)();
    wishes.stop();
  };
}

/** For those who bring their own store: connects, and gives `dispatch` what the middleware would. */
export function connect(options: ClientOptions & { url?: string | undefined; dispatch: Dispatch; client?: OrdercastClient | undefined }): LiveOrders {
  const { url, dispatch, client = new OrdercastClient(url, options) } = options;
  const feed = new Feed(client, dispatch);
  client.connect();
  return {
    client,
    watchOrder: (orderId) => {
      feed.watchOrder(orderId);
      let watching = true;
      return () => {
        if (watching) feed.unwatchOrder(orderId);
        watching = false;
      };
    },
    disconnect: () => {
      client.disconnect(); // which is told
      feed.stop();
    },
  };
}

/** What `connect` gives; its functions need no `this`. */
export interface LiveOrders {
  readonly client: OrdercastClient;
  /** Watches an order; returns what ends that. */
  readonly watchOrder: (orderId: number | string) => () => void;
  /** Ends the connection and all that was watched. */
  readonly disconnect: () => void;
}
