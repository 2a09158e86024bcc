/** The reducer: how live it is, and the orders that are watched. */

import { IDLE, key, type Connection, type Id, type Order } from "@ordercast/client";
import { createSlice } from "@reduxjs/toolkit";
import { connectionChanged, listChanged, orderChanged, type ListEntry, type OrderEntry } from "./actions.ts";

export interface OrdercastState {
  connection: Connection;
  /** By `String(orderId)`. */
  orders: Record<string, OrderEntry>;
  /** By the name given to `watchOrders`. */
  lists: Record<string, ListEntry>;
}

const initialState: OrdercastState = { connection: IDLE, orders: {}, lists: {} };
const NO_ORDERS: readonly Order[] = [];

/** Belongs under the name `ordercast`: `combineSlices(ordercastSlice)` or `{ ordercast: ordercastSlice.reducer }`. */
export const ordercastSlice = createSlice({
  name: "ordercast",
  initialState,
  reducers: {},
  extraReducers: (builder) =>
    builder
      .addCase(connectionChanged, (state, { payload }) => ({ ...state, connection: payload }))
      .addCase(orderChanged, (state, { payload: { orderId, entry } }) => ({ ...state, orders: withEntry(state.orders, orderId, entry) }))
      .addCase(listChanged, (state, { payload: { list, entry } }) => ({ ...state, lists: withEntry(state.lists, list, entry) })),
  selectors: {
    selectConnection: (state): Connection => state.connection,
    /** `undefined`: not watched, not there yet, or not to be had (`selectEntry` tells). */
    selectOrder: (state, orderId: Id): Order | undefined => entryOf(state.orders, key(orderId))?.order,
    selectEntry: (state, orderId: Id): OrderEntry | undefined => entryOf(state.orders, key(orderId)),
    selectOrders: (state, list: string = "orders"): readonly Order[] => entryOf(state.lists, list)?.orders ?? NO_ORDERS,
  },
});

export const { selectConnection, selectOrder, selectEntry, selectOrders } = ordercastSlice.selectors;

function withEntry<T>(entries: Record<string, T>, name: string, entry: T | null): Record<string, T> {
  if (entry !== null) return { ...entries, [name]: entry };
  const others = { ...entries };
  delete others[name];
  return others;
}

/** An order may be called `constructor`, and an object has such a thing of its own. */
function entryOf<T>(entries: Record<string, T>, name: string): T | undefined {
  return Object.prototype.hasOwnProperty.call(entries, name) ? entries[name] : undefined;
}
