/** The Socket.IO events of the contract, by name. What they carry is made from the server's own schema, asyncapi.json. */

import type { components } from "./generated/asyncapi.ts";
import type { Id } from "./models.ts";

type Schemas = components["schemas"];
type Payload<Name extends keyof Schemas> = Schemas[Name];

/** An order has another status, for those who may see that one order. */
export interface OrderUpdated extends Payload<"OrderUpdated"> {}

/** An order has another status, for those who see all of them: also whose it is and who did it. */
export interface OrderStatusChanged extends Payload<"OrderStatusChanged"> {}

/** A new order, whole, and its place in the log. */
export interface OrderCreated extends Payload<"OrderCreated"> {}

/** What changed of an order besides its status, as far as the hearer may see it. */
export interface OrderChanged extends Payload<"OrderChanged"> {}

/** The order has become somebody else's: the hearer may not see it any more. */
export interface OrderGone extends Payload<"OrderGone"> {}

/** The order is watched from now on, and this is how it stands: every event after `position` will come. */
export interface Watching extends Payload<"Watching"> {}

/** The order is not watched. Another's order and one that is not there are the same `not_found`. Also of one that is watched and has become another's. */
export interface WatchDenied extends Payload<"WatchDenied"> {}

/** The token in use ends in a minute. */
export interface TokenExpiring extends Payload<"TokenExpiring"> {}

/** The server ends the connection, and why. */
export interface ForceDisconnect extends Payload<"ForceDisconnect"> {}

/** All that was missed has been told. */
export interface CaughtUp extends Payload<"CaughtUp"> {}

/** What was missed cannot be told whole: fetch anew what is shown. */
export interface Resync extends Payload<"Resync"> {}

/** An admin has set other targets. Not in the log: who was away asks `board()` again. */
export interface BoardChanged extends Payload<"BoardChanged"> {}

/** What the log holds of orders: each has a place in the order's life (`version`) and in the log (`position`). */
export interface LogEvents {
  "order:updated": OrderUpdated;
  "order:status_changed": OrderStatusChanged;
  "order:created": OrderCreated;
  "order:changed": OrderChanged;
  "order:gone": OrderGone;
}

export type LogEventName = keyof LogEvents;

/** Everything else that the server itself says. */
export interface ControlEvents {
  watching: Watching;
  "watch:denied": WatchDenied;
  "token:expiring": TokenExpiring;
  force_disconnect: ForceDisconnect;
  caught_up: CaughtUp;
  resync: Resync;
  position: string;
  "board:changed": BoardChanged;
}

export type ServerEvents = LogEvents & ControlEvents;

/** For `Socket<ServerToClientEvents, ClientToServerEvents>` of socket.io-client, where that is used by itself. */
export type ServerToClientEvents = { [Name in keyof ServerEvents]: (data: ServerEvents[Name]) => void };

/** What a client may say. The functions are acknowledgements. */
export interface ClientToServerEvents {
  "watch:order": (orderId: Id, answered?: (answer: Watching | WatchDenied) => void) => void;
  "unwatch:order": (orderId: Id, answered?: () => void) => void;
  "auth:refresh": (token: string, answered?: (answer: Refreshed) => void) => void;
}

/** The answer to `auth:refresh`. */
export type Refreshed = Schemas["Answers"]["auth:refresh"];

const LOG_EVENTS: ReadonlySet<string> = new Set<LogEventName>([
  "order:updated",
  "order:status_changed",
  "order:created",
  "order:changed",
  "order:gone",
]);

export const isLogEvent = (name: string): name is LogEventName => LOG_EVENTS.has(name);
