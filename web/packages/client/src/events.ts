/** The Socket.IO events of the contract. tests/integration/test_package.py holds them against the server's. */

import type { Id, Order } from "./models.ts";

export interface OrderUpdated {
  orderId: Id;
  status: string;
  updatedAt: string;
  version: number;
  position: number;
}

export interface OrderStatusChanged extends OrderUpdated {
  customerId: Id;
  updatedBy: Id | null;
}

export type OrderCreated = Order & { position: number };

export interface OrderChanged {
  orderId: Id;
  changes: Partial<Order>;
  version: number;
  position: number;
}

export interface Watching {
  orderId: Id;
  status: string;
  version: number;
  position: number;
}

export interface WatchDenied {
  orderId: Id | null;
  error: "not_found" | "invalid_order_id" | "too_many_watches";
}

/** An admin has set other targets. Not in the log: who was away asks `board()` again. */
export interface BoardChanged {
  targets: Record<string, number>;
}

/** What the log holds of orders: each has a place in the order's life (`version`) and in the log (`position`). */
export interface LogEvents {
  "order:updated": OrderUpdated;
  "order:status_changed": OrderStatusChanged;
  "order:created": OrderCreated;
  "order:changed": OrderChanged;
}

export type LogEventName = keyof LogEvents;

/** Everything else that the server itself says. */
export interface ControlEvents {
  watching: Watching;
  "watch:denied": WatchDenied;
  "token:expiring": { expiresAt: number };
  force_disconnect: { reason: string };
  caught_up: { position: number };
  resync: { position: number };
  position: string;
  "board:changed": BoardChanged;
}

export type ServerEvents = LogEvents & ControlEvents;

/** The answer to `auth:refresh`. */
export type Refreshed = { expiresAt: number | null } | { error: string };

const LOG_EVENTS: ReadonlySet<string> = new Set<LogEventName>([
  "order:updated",
  "order:status_changed",
  "order:created",
  "order:changed",
]);

export const isLogEvent = (name: string): name is LogEventName => LOG_EVENTS.has(name);
