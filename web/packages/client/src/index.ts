/** Ordercast's client: live orders in browsers, Node.js and React Native. */

export { connect, OrdercastClient } from "./client.ts";
export type { ChangeOptions, OrderSearch } from "./actions.ts";
export type { Backoff } from "./backoff.ts";
export { IDLE, type Connection, type OfflineReason } from "./connection.ts";
export type { Cursor } from "./cursor.ts";
export type {
  BoardChanged,
  CaughtUp,
  ClientToServerEvents,
  ControlEvents,
  ForceDisconnect,
  LogEventName,
  LogEvents,
  OrderChanged,
  OrderCreated,
  OrderGone,
  OrderStatusChanged,
  OrderUpdated,
  Refreshed,
  Resync,
  ServerEvents,
  ServerToClientEvents,
  TokenExpiring,
  WatchDenied,
  Watching,
} from "./events.ts";
export type { OrderFilter, OrdersState } from "./list.ts";
export { isComplete, NOTHING, toOrder, withEvent, withGlimpse, withSnapshot, type Known } from "./merge.ts";
export { key } from "./models.ts";
export type {
  Board,
  EventPage,
  History,
  HistoryEntry,
  Id,
  NewOrder,
  Order,
  OrderPage,
  OrderPatch,
  Presence,
  ProblemDetails,
  SignIn,
  Stats,
  Targets,
  Workflow,
} from "./models.ts";
export type { ClientEvents, ClientOptions } from "./options.ts";
export { Problem, type CallOptions, type Fetch, type Query } from "./rest.ts";
export { retryOnReturn, type AppStateLike, type NetInfoLike, type ReturnSources } from "./returning.ts";
export type { OpenSocket, SocketLike, SocketOptions } from "./socket.ts";
export { TokenError, type TokenOption } from "./tokens.ts";
export { byNewest, type OrderState } from "./watched.ts";
export type { OrdersSubscription, OrderSubscription, Subscription } from "./watches.ts";
