/** What happens, and what is wanted, as actions of a Redux store. */

import type { Connection, Id, Order, OrderFilter } from "@ordercast/client";
import { createAction } from "@reduxjs/toolkit";

/** An error as a store can keep it. */
export interface Failure {
  readonly message: string;
  /** The HTTP status, where the server refused: 404 for what is not there or not yours. */
  readonly status: number | undefined;
}

export interface StatusUpdate {
  readonly orderId: Id;
  readonly status: string;
  readonly updatedAt: string;
  readonly version: number;
}

export interface OrderEntry {
  /** As far as it is known; `undefined` before the first answer. */
  readonly order: Order | undefined;
  /** Whether nothing of it is missing. */
  readonly complete: boolean;
  readonly error: Failure | undefined;
}

export interface ListEntry {
  /** Newest first. */
  readonly orders: readonly Order[];
  readonly complete: boolean;
  readonly error: Failure | undefined;
}

// -- what happens

/** Live: a socket is there, and everything missed has been heard. */
export const socketConnected = createAction("SOCKET_CONNECTED");
/** No longer live, or refused at once; `reason`: as `Connection` has it, `"lost"` where it comes back by itself. */
export const socketDisconnected = createAction<{ reason: string }>("SOCKET_DISCONNECTED");
/** Each change of status that was heard, once, in the order in which they were made. */
export const orderStatusUpdated = createAction<StatusUpdate>("ORDER_STATUS_UPDATED");
/** Every change of the connection, polling and offline included. */
export const connectionChanged = createAction<Connection>("ordercast/connectionChanged");
/** A watched order as it is now; `null`: nobody watches it any more. */
export const orderChanged = createAction<{ orderId: string; entry: OrderEntry | null }>("ordercast/orderChanged");
/** A watched list as it is now; `null`: nobody watches it any more. */
export const listChanged = createAction<{ list: string; entry: ListEntry | null }>("ordercast/listChanged");

// -- what is wanted

export const connectSocket = createAction("ordercast/connect");
export const disconnectSocket = createAction("ordercast/disconnect");
/** Watched as often as asked for: each needs its `unwatchOrder`. */
export const watchOrder = createAction("ordercast/watchOrder", (orderId: Id) => ({ payload: orderId }));
export const unwatchOrder = createAction("ordercast/unwatchOrder", (orderId: Id) => ({ payload: orderId }));
/** A list under a name of yours; another filter under the same name takes its place. */
export const watchOrders = createAction("ordercast/watchOrders", (filter: OrderFilter = {}, list = "orders") => ({
  payload: { filter, list },
}));
export const unwatchOrders = createAction("ordercast/unwatchOrders", (list = "orders") => ({ payload: list }));
