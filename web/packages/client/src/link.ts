/** The socket's life: connects, comes back, or stays away where the server has said so. */

import { delay, type Backoff } from "./backoff.ts";
import { endedBy, type OfflineReason } from "./connection.ts";
import type { Cursor } from "./cursor.ts";
import { platform, type Timer } from "./platform.ts";
import type { OpenSocket, SocketLike, SocketOptions } from "./socket.ts";
import type { Tokens } from "./tokens.ts";

export interface LinkEvents {
  /** `replays`: what was missed, then `caught_up`, or else `resync` comes first. */
  connected(replays: boolean, recovered: boolean): void;
  lost(): void;
  /** A try has failed, so many in a row. */
  failed(failures: number, why: "unreachable" | "token"): void;
  ended(reason: OfflineReason): void;
  event(name: string, args: unknown[]): void;
}

export interface LinkOptions {
  socket: Omit<SocketOptions, "auth">;
  open: OpenSocket;
  tokens: Tokens;
  backoff: Backoff;
  /**
   * Where to go on from: a cursor, or `first`, before there was any connection, a position of the log that the server
   * has; `null`: from now on, or where the server knows the connection from.
   */
  since: (first: boolean) => Promise<Cursor | number | null>;
}

/** ms that a connection has to show that it is still there. */
const STILL_THERE = 5_000;

/** ms. What ends a connection sooner than this will end the next one too: it counts as a try that failed. */
const BRIEF = 5_000;

export class Link {
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #socket: SocketLike;
  #running = false;
  #failures = 0;
  #timer: Timer | undefined;
  /** Until when an answer must have come. */
  #probe: Timer | undefined;
  /** The connection under way asked to go on from somewhere. */
  #replays = false;
  /** When the connection that there is was made (ms since the epoch); `undefined`: there is none. */
  #connectedAt: number | undefined;
  /** There has been a connection, so that socket.io-client says as whom it comes back. */
  #known = false;
  /** The token was refused, and a new one got, since the last connection. */
  #renewed = false;
  #farewell: OfflineReason | null = null;
  /** The handshake under way: one that was given up says nothing any more. */
  #attempt = {};

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
    this.#socket = options.open({ ...options.socket, auth: (give) => void this.#authenticate(give) });
    this.#socket.on("connect", () => this.#connected());
    this.#socket.on("disconnect", (reason) => this.#disconnected(reason));
    this.#socket.on("connect_error", (error) => void this.#refused(error.message));
    this.#socket.onAny((name, ...args) => this.#heard(name, args));
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#failures = 0;
    this.#renewed = false;
    this.#connectedAt = undefined;
    this.#socket.connect();
  }

  stop(): void {
    this.#running = false;
    this.#attempt = {};
    platform.clearTimeout(this.#timer);
    this.#answered();
    this.#socket.disconnect();
  }

  /** Does not wait for `backoff`: the network may have come back. Or it may be another one, and the connection dead. */
  hurry(): void {
    if (this.connected) this.#ask();
    if (!this.#running || this.#timer === undefined) return;
    platform.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#socket.connect();
  }

  /** Says something, where there is a connection to say it on. */
  emit(name: string, ...args: unknown[]): void {
    if (this.connected) this.#socket.emit(name, ...args);
  }

  /** Whether anybody is still there: else it is the heartbeat that finds out, up to a minute later. */
  #ask(): void {
    if (this.#probe !== undefined) return;
    this.#probe = platform.setTimeout(() => {
      this.#socket.disconnect();
      this.#disconnected("no answer");
    }, STILL_THERE);
    this.#socket.emit("unwatch:order", null, () => this.#answered()); // lets go of nothing, and is acknowledged
  }

  #answered(): void {
    platform.clearTimeout(this.#probe);
    this.#probe = undefined;
  }

  async #authenticate(give: (auth: object) => void): Promise<void> {
    const attempt = (this.#attempt = {});
    let token: string;
    try {
      token = await this.#options.tokens.current();
    } catch {
      if (attempt !== this.#attempt) return;
      this.#socket.disconnect();
      this.#failed("token");
      return;
    }
    const since = await this.#options.since(!this.#known);
    if (attempt !== this.#attempt) return;
    this.#replays = since !== null || this.#known;
    // socket.io-client's own `offset` is what the socket heard last; polling may have heard more since.
    give(since === null ? { token } : { token, since, offset: since });
  }

  #connected(): void {
    this.#connectedAt = Date.now();
    this.#renewed = false;
    this.#known = true;
    this.#farewell = null;
    this.#events.connected(this.#replays, this.#socket.recovered);
  }

  #heard(name: string, args: unknown[]): void {
    if (name === "force_disconnect") {
      const { reason } = (args[0] ?? {}) as { reason?: string };
      this.#farewell = endedBy(reason ?? "") ?? "ended";
    }
    this.#events.event(name, args);
  }

  #disconnected(reason: string): void {
    this.#attempt = {};
    this.#answered();
    if (!this.#running || reason === "io client disconnect") return;
    const lasted = this.#connectedAt === undefined ? 0 : Date.now() - this.#connectedAt;
    this.#connectedAt = undefined;
    if (reason === "io server disconnect") {
      const why = this.#farewell ?? "ended";
      if (why === "token_expired") {
        this.#events.lost();
        void this.#renew(why);
      } else {
        this.#end(why);
      }
      return;
    }
    this.#events.lost();
    if (lasted < BRIEF) {
      this.#failed("unreachable"); // also a socket that CONNECT was never answered on
    } else {
      this.#failures = 0;
      this.#later(1);
    }
  }

  async #refused(message: string): Promise<void> {
    if (!this.#running) return;
    const reason = endedBy(message);
    if (reason === null) {
      this.#failed("unreachable");
    } else if (reason === "new_login") {
      this.#end(reason);
    } else {
      await this.#renew(reason);
    }
  }

  /** Connects with a new token, where there may be one and it has not been tried yet; else that is the end. */
  async #renew(reason: OfflineReason): Promise<void> {
    if (!this.#options.tokens.renewable || this.#renewed) {
      this.#end(reason);
      return;
    }
    this.#renewed = true;
    try {
      await this.#options.tokens.fresh();
    } catch {
      this.#renewed = false;
      this.#failed("token");
      return;
    }
    if (this.#running) this.#socket.connect();
  }

  #failed(why: "unreachable" | "token"): void {
    if (!this.#running) return;
    this.#failures += 1;
    this.#later(this.#failures);
    this.#events.failed(this.#failures, why);
  }

  #later(failures: number): void {
    platform.clearTimeout(this.#timer);
    this.#timer = platform.setTimeout(
      () => {
        this.#timer = undefined;
        this.#socket.connect();
      },
      delay(this.#options.backoff, failures, Math.random()),
    );
  }

  #end(reason: OfflineReason): void {
    this.stop();
    this.#events.ended(reason);
  }
}
