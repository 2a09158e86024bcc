/** The REST API, over `fetch`. */

import type { ProblemDetails } from "./models.ts";
import { within } from "./patience.ts";
import { platform, type AbortSignalLike } from "./platform.ts";
import type { Tokens } from "./tokens.ts";

/** What the server says against a request (RFC 9457). `type` is like `urn:ordercast:version-conflict`. */
export class Problem extends Error {
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly details: Partial<ProblemDetails> & Record<string, unknown>;

  constructor(status: number, details: Partial<ProblemDetails> & Record<string, unknown>) {
    super(details.detail ?? `The server answered ${status}.`);
    this.name = "Problem";
    this.status = status;
    this.type = details.type ?? "about:blank";
    this.title = details.title ?? "";
    this.details = details;
  }
}

export type Fetch = (url: string, init: RequestOptions) => Promise<ResponseLike>;

/** The parts of `fetch` that are used, so that no DOM types are needed. */
export interface RequestOptions {
  method: string;
  headers: Record<string, string>;
  body?: string;
  signal?: AbortSignalLike;
}

export interface ResponseLike {
  readonly ok: boolean;
  readonly status: number;
  json(): Promise<unknown>;
}

export type Query = Record<string, string | number | undefined>;

export interface CallOptions {
  query?: Query | undefined;
  body?: unknown;
  /** The same key again: the same answer, and no second order. */
  idempotencyKey?: string | undefined;
  /** Gives the request up, in the place of the client's own patience (`requestTimeout`). */
  signal?: AbortSignalLike | undefined;
}

/** Splits where the server is into what a socket and what REST need. No `URL`: React Native's is not whole. */
export function parseUrl(url: string): { origin: string; base: string } {
  const match = /^(https?:\/\/[^/?#]+)([^?#]*)/i.exec(url);
  if (match === null) throw new TypeError(`'${url}' is no URL of an Ordercast server; give one like https://shop.example`);
  const path = match[2] ?? "";
  return { origin: match[1]!, base: path.endsWith("/") ? path : `${path}/` };
}

export class Rest {
  readonly #root: string;
  readonly #tokens: Tokens;
  readonly #fetch: Fetch;
  readonly #patience: number;

  /** `root` ends in a slash. `patience`: ms that a request without a `signal` may take. */
  constructor(root: string, tokens: Tokens, fetch: Fetch, patience: number) {
    this.#root = root;
    this.#tokens = tokens;
    this.#fetch = fetch;
    this.#patience = patience;
  }

  /** One request to `/api/{path}`. Rejects with `Problem`, with `TokenError`, or as `fetch` does. */
  async call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    const token = await this.#tokens.current();
    try {
      return await this.#patiently<T>(method, path, options, token);
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401 && this.#tokens.renewable)) throw error;
      return this.#patiently<T>(method, path, options, await this.#renewed(token));
    }
  }

  /** A token after one that was refused: another request may have got it already. */
  async #renewed(refused: string): Promise<string> {
    const current = await this.#tokens.current();
    return current === refused ? this.#tokens.fresh() : current;
  }

  /** Packets that vanish on the way are told by nobody: after a while, no answer is one. */
  #patiently<T>(method: string, path: string, options: CallOptions, token: string): Promise<T> {
    if (options.signal !== undefined) return this.#once<T>(method, path, options, token);
    const controller = new platform.AbortController();
    const answer = this.#once<T>(method, path, { ...options, signal: controller.signal }, token);
    return within(this.#patience, answer, "The server has not answered", () => controller.abort());
  }

  async #once<T>(method: string, path: string, { query, body, idempotencyKey, signal }: CallOptions, token: string): Promise<T> {
    const headers: Record<string, string> = { Authorization: `Bearer ${token}`, Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (idempotencyKey !== undefined) headers["Idempotency-Key"] = idempotencyKey;
    const response = await this.#fetch(`${this.#root}api/${path}${queryString(query)}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (response.ok) return (await response.json()) as T;
    const details = await response.json().catch(() => ({}));
    throw new Problem(response.status, typeof details === "object" && details !== null ? { ...details } : {});
  }
}

/** Whether a "no" is Ordercast's own. Whatever stands before it (a proxy, a firewall) says no in other words. */
export const isRefusal = (error: unknown): error is Problem =>
  error instanceof Problem && error.type.startsWith("urn:ordercast:") && error.status < 500 && error.status !== 429;

/** Whether an error says that nothing can be had just now, rather than that the request is wrong. */
export const isPassing = (error: unknown): boolean => !isRefusal(error);

function queryString(query: Query = {}): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}
