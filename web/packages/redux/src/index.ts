/** Live orders in a Redux store. */

export * from "./actions.ts";
export type { Dispatch } from "./feed.ts";
export { ordercastSlice, selectConnection, selectEntry, selectOrder, selectOrders, type OrdercastState } from "./slice.ts";
export { connect, ordercastMiddleware, startOrdercast, type ClientSource, type LiveOrders, type Store } from "./store.ts";
