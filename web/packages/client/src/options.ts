/** What an application may say, and what counts where it says nothing. */

import type { Backoff } from "./backoff.ts";
import type { Cursor } from "./cursor.ts";
import type { ControlEvents, LogEvents } from "./events.ts";
import type { Connection } from "./connection.ts";
import type { Fetch } from "./rest.ts";
import type { OpenSocket } from "./socket.ts";
import type { TokenOption } from "./tokens.ts";

export interface ClientOptions {
  /** A token, or a function that gets one: called at first, before a token ends and when one was refused. */
  token: TokenOption;
  /** Where an earlier client was (its `cursor`): what came after that is told first. */
  since?: Cursor | undefined;
  /** Whether to ask `GET /api/events` while no socket can be had. */
  fallback?: boolean | undefined;
  /**
   * `false`: no socket, `GET /api/events` alone. For a backend with a service's token: its socket hears only of the orders
   * that it watches, and its `watchOrders` would not be told of others; this way it is told of all.
   */
  socket?: boolean | undefined;
  backoff?: Backoff | undefined;
  /** ms that a socket may take to connect. */
  connectTimeout?: number | undefined;
  /** ms that a request, and the token function, may take, 15,000 as a rule. */
  requestTimeout?: number | undefined;
  /** Instead of the global `fetch`. */
  fetch?: Fetch | undefined;
  /** Instead of `socket.io-client`, for tests. */
  openSocket?: OpenSocket | undefined;
}

/** First 0.5 s: a server restarts in about that. 30 s at most: what a person waits for. */
export const BACKOFF: Backoff = { first: 500, longest: 30_000 };

export const CONNECT_TIMEOUT = 10_000;

/** ms. A server answers in some, and a person waits. */
export const REQUEST_TIMEOUT = 15_000;

/** Tries to connect that fail before REST is asked: one may have met a restart. */
export const FALLBACK_AFTER = 2;

/** What a client tells, besides what the server says. */
export interface ClientEvents extends LogEvents, ControlEvents {
  connection: Connection;
  "token:refreshed": { expiresAt: number | null };
  "token:refresh_failed": { error: string };
  /** An event of the shop's own (`POST /api/emit`). */
  message: { name: string; args: unknown[] };
}
