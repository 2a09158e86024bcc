/** A server in memory: a socket and REST, as far as a client can tell. */

import { vi } from "vitest";
import { OrdercastClient } from "../src/client.ts";
import type { ClientOptions } from "../src/options.ts";
import type { ResponseLike } from "../src/rest.ts";
import type { SocketLike, SocketOptions } from "../src/socket.ts";
import { order } from "./orders.ts";

type Handler = (...args: never[]) => void;

/** A socket that is told what happens to it. */
export class FakeSocket implements SocketLike {
  connected = false;
  recovered = false;
  /** How often it was asked to connect. */
  tries = 0;
  readonly said: unknown[][] = [];
  readonly options: SocketOptions;
  readonly #handlers = new Map<string, Handler>();
  #any: (name: string, ...args: unknown[]) => void = () => undefined;

  constructor(options: SocketOptions) {
    this.options = options;
  }

  connect(): void {
    this.tries += 1;
  }

  disconnect(): void {
    this.connected = false;
  }

  emit(...args: unknown[]): void {
    this.said.push(args);
  }

  on(name: string, handler: Handler): void {
    this.#handlers.set(name, handler);
  }

  onAny(listener: (name: string, ...args: unknown[]) => void): void {
    this.#any = listener;
  }

  // -- what happens to it

  /** The server lets it in; returns what it showed. */
  async accept(recovered = false): Promise<Record<string, unknown>> {
    const auth = await new Promise<object>((resolve) => this.options.auth(resolve));
    this.connected = true;
    this.recovered = recovered;
    (this.#handlers.get("connect") as () => void)();
    return auth as Record<string, unknown>;
  }

  refuse(message: string): void {
    (this.#handlers.get("connect_error") as (error: Error) => void)(new Error(message));
  }

  drop(reason: string): void {
    this.connected = false;
    (this.#handlers.get("disconnect") as (reason: string) => void)(reason);
  }

  hear(name: string, data: unknown): void {
    this.#any(name, data);
  }
}

export type Answer = { status: number; body: unknown } | Error;

/** A client whose requests are answered by `answer(path, body)`, which may take its time. */
export function setUp(answer: (path: string, body: unknown) => Answer | Promise<Answer>, options: Partial<ClientOptions> = {}) {
  let socket!: FakeSocket;
  const asked: string[] = [];
  const tokens: string[] = [];
  const client = new OrdercastClient("https://shop.example/live", {
    token: "t",
    openSocket: (how) => (socket = new FakeSocket(how)),
    fetch: async (url, { headers, body }): Promise<ResponseLike> => {
      const path = url.replace("https://shop.example/live/api/", "");
      asked.push(path);
      tokens.push(headers.Authorization ?? "");
      const given = await answer(path, body === undefined ? undefined : JSON.parse(body));
      if (given instanceof Error) throw given;
      return { ok: given.status < 400, status: given.status, json: async () => said(given) };
    },
    ...options,
  });
  const states: string[] = [];
  client.on("connection", (state) => states.push(state.status === "offline" ? `offline ${state.reason}` : state.status));
  return { client, socket, asked, tokens, states };
}

export const found = (body: unknown): Answer => ({ status: 200, body });
export const WORKFLOW = found({ initial: "received", statuses: [], transitions: [] });

/** A body as the server gives it: every "no" of its own names its type. A text is somebody else's. */
function said({ status, body }: Exclude<Answer, Error>): unknown {
  return status < 400 || typeof body !== "object" ? body : { type: "urn:ordercast:no", ...body };
}

// -- with vitest's own clock

export const turn = () => vi.advanceTimersByTimeAsync(0);
export const LATER = 60_000; // ms; past every backoff

/** REST over one order, which the test changes; `events` answers `GET /api/events`. */
export function shop(events: (path: string) => Answer | Promise<Answer> = () => new Error("unreachable")) {
  const state = { order: order() };
  const answer = (path: string): Answer | Promise<Answer> => {
    if (path === "workflow") return WORKFLOW;
    if (path.startsWith("events")) return events(path);
    return path === "orders/17" ? found(state.order) : { status: 404, body: { detail: "not there" } };
  };
  return { state, answer };
}

export const updated = (version: number, status = "accepted") => ({
  orderId: 17,
  status,
  updatedAt: "2026-01-01T00:01:00.000Z",
  version,
  position: version + 100,
});
