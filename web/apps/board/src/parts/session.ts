/** Who is signed in at this board: the token of this tab, how it is renewed, and what happens where it is not. */

import type { Connection, OrdercastClient } from "@ordercast/client";
import { listen, offer, PARAMETER, WINDOW } from "./handover.ts";
import { loginLink, refreshed, signInPage, type SignInPage } from "./signInPage.ts";
import { KEY, tokenIn, userOf } from "./tokens.ts";

export type SessionState = { readonly page: SignInPage | null } & (
  | { readonly status: "opening" | "none" | "signed-in" | "expired" }
  /** s since the epoch. */
  | { readonly status: "expiring"; readonly expiresAt: number }
  | { readonly status: "refused"; readonly reason: "unauthorized" | "revoked" | "new_login" | "ended" }
);

/** What a session needs of the client. */
export type SessionClient = Pick<OrdercastClient, "connection" | "on" | "onConnection" | "renewToken">;

const AGAIN = 30_000; // ms between tries to renew what has ended

export class Session {
  #token: string | null = sessionStorage.getItem(KEY);
  /** The token that the client has: asked again, it wants a newer one. */
  #given: string | null = null;
  #page: SignInPage | null = null;
  readonly #asked: Promise<SignInPage>;
  #opening = true;
  /** When the token in use ends, once the server has said so. */
  #endsAt: number | null = null;
  /** There is no newer one to be had without asking the person. */
  #ending = false;
  /** The newest one was given by a person, and `#rejected` by the server. */
  #pasted = false;
  #rejected = false;
  readonly #handed: boolean;
  #client: SessionClient | undefined;
  #nonce: string | null = null;
  #state: SessionState;
  readonly #listeners = new Set<() => void>();
  #renewing: Promise<string> | undefined;
  /** The token has ended, and whether it can be renewed without asking the person is not known yet. */
  #trying = false;

  constructor(ask: (board: string) => Promise<SignInPage> = signInPage) {
    this.#handed = this.#takeFragment();
    this.#state = this.#now();
    this.#asked = ask(location.href);
    void this.#open();
  }

  /** The same until something changes. */
  get state(): SessionState {
    return this.#state;
  }

  /** Who the token is of, as it says itself: another one needs another client. `null`: there is no token. */
  get user(): string | null {
    return this.#token === null ? null : (userOf(this.#token) ?? "");
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** The client's token function: the one at hand at first, then a newer one where `REFRESH_URL` has it. */
  readonly token = async (): Promise<string> => {
    const token = this.#token;
    if (token === null) throw new Error("Nobody is signed in.");
    if (this.#given !== token) return (this.#given = token);
    const { refreshUrl } = await this.#asked;
    if (refreshUrl === null || this.#token !== token) return (this.#given = this.#token ?? token);
    this.#keep(await this.#renew(refreshUrl));
    return (this.#given = this.#token!);
  };

  /** Goes on with a token that was pasted or handed over; `false`: it holds none. */
  accept(pasted: string): boolean {
    const token = tokenIn(pasted);
    if (token === null) return false;
    const before = this.user;
    this.#keep(token);
    this.#pasted = true;
    if (this.user === before) this.#client?.renewToken();
    return true;
  }

  /** Goes on here with the same token, where another place had taken over. */
  resume(): void {
    this.#client?.renewToken();
  }

  /** Where to sign in; `null`: the shop has not said. `away`: in a window of its own, which hands its token over. */
  loginLink(away: boolean): string | null {
    const loginUrl = this.#page?.loginUrl;
    if (!loginUrl) return null;
    const back = new URL(location.href);
    back.hash = "";
    if (away) back.searchParams.set(PARAMETER, (this.#nonce ??= crypto.randomUUID()));
    return loginLink(loginUrl, back.href);
  }

  /** Follows what a client is told of its token; returns what ends that. */
  follow(client: SessionClient): () => void {
    this.#client = client;
    const ends = [
      client.onConnection(() => this.#connected(client.connection)),
      client.on("token:expiring", ({ expiresAt }) => this.#ends(expiresAt, !this.#page?.refreshUrl)),
      client.on("token:refresh_failed", () => this.#refreshFailed()),
      client.on("token:refreshed", ({ expiresAt }) => this.#refreshed(expiresAt)),
    ];
    const timer = setInterval(() => void this.#again(), AGAIN);
    this.#changed();
    return () => {
      for (const end of ends) end();
      clearInterval(timer);
      this.#client = undefined;
      this.#changed();
    };
  }

  /** Takes tokens from links opened in this tab and from windows for signing in; returns what ends that. */
  listen(): () => void {
    const fragment = () => {
      const before = this.user;
      if (!this.#takeFragment()) return;
      if (this.user === before) this.#client?.renewToken();
      this.#changed();
    };
    addEventListener("hashchange", fragment);
    const waits = () => (this.#state.status === "signed-in" ? null : { nonce: this.#nonce, user: this.user });
    const end = listen(location.href, waits, (token) => this.accept(token));
    return () => {
      removeEventListener("hashchange", fragment);
      end();
    };
  }

  /** Whether this window was opened to sign in, and a board has taken its token: it closes, where the browser lets it. */
  async handOver(): Promise<boolean> {
    const url = new URL(location.href);
    const nonce = url.searchParams.get(PARAMETER);
    if (nonce === null && window.name !== WINDOW) return false;
    url.searchParams.delete(PARAMETER);
    history.replaceState(history.state, "", url);
    window.name = "";
    const token = this.#handed ? this.#token : null; // else it is a copy of the board's own
    if (token === null || !(await offer(location.href, token, nonce))) return false;
    sessionStorage.removeItem(KEY);
    window.close();
    return true;
  }

  async #open(): Promise<void> {
    this.#page = await this.#asked;
    if (this.#token === null && this.#page.refreshUrl !== null) {
      const token = await this.#renew(this.#page.refreshUrl).catch(() => null);
      if (token !== null && this.#token === null) this.#keep(token);
    }
    this.#opening = false;
    this.#changed();
  }

  #connected(connection: Connection): void {
    // The client asks for no newer one after the server has ended it.
    if (connection.status === "offline" && connection.reason === "token_expired" && this.#page?.refreshUrl) {
      this.#trying = true;
      void this.#again().finally(() => {
        this.#trying = false;
        this.#changed();
      });
    }
    this.#changed();
  }

  /** A token that has ended may be renewed at once, or once its owner is signed in at the shop again. */
  async #again(): Promise<void> {
    const refreshUrl = this.#page?.refreshUrl;
    const ended = () => this.#trying || this.#state.status === "expired";
    if (!ended() || !refreshUrl) return;
    const token = await this.#renew(refreshUrl).catch(() => null);
    if (token !== null && ended()) this.accept(token);
  }

  #renew(refreshUrl: string): Promise<string> {
    return (this.#renewing ??= refreshed(refreshUrl).finally(() => (this.#renewing = undefined)));
  }

  #takeFragment(): boolean {
    const token = tokenIn(new URLSearchParams(location.hash.slice(1)).get("token") ?? "");
    if (!location.hash.startsWith("#token=")) return false;
    history.replaceState(history.state, "", location.pathname + location.search);
    if (token === null) return false;
    this.#store(token);
    return true;
  }

  #keep(token: string): void {
    this.#store(token);
    this.#changed();
  }

  #store(token: string): void {
    this.#token = token;
    this.#given = null;
    this.#ending = this.#pasted = this.#rejected = false;
    this.#nonce = null;
    try {
      sessionStorage.setItem(KEY, token);
    } catch {
      // kept as long as the page is there, then
    }
  }

  #ends(at: number | null, ending: boolean): void {
    this.#endsAt = at;
    this.#ending = ending;
    this.#changed();
  }

  #refreshed(expiresAt: number | null): void {
    this.#pasted = false;
    if (expiresAt === null || expiresAt !== this.#endsAt) this.#ends(null, false); // else it was the old one
  }

  #refreshFailed(): void {
    this.#rejected = this.#pasted;
    this.#ends(this.#endsAt, true);
  }

  #changed(): void {
    const next = this.#now();
    if (JSON.stringify(next) === JSON.stringify(this.#state)) return;
    this.#state = next;
    for (const listener of [...this.#listeners]) listener();
  }

  #now(): SessionState {
    const page = this.#page;
    if (this.#token === null) return { page, status: this.#opening ? "opening" : "none" };
    const ended = this.#client === undefined ? null : endOf(this.#client.connection);
    if (ended !== null && !this.#trying) return { page, ...ended };
    if (this.#rejected) return { page, status: "refused", reason: "unauthorized" };
    return this.#ending && this.#endsAt !== null ? { page, status: "expiring", expiresAt: this.#endsAt } : { page, status: "signed-in" };
  }
}

type Ended = { status: "expired" } | { status: "refused"; reason: "unauthorized" | "revoked" | "new_login" | "ended" };

/** What a connection says of the token it had; `null`: nothing against it. */
function endOf(connection: Connection): Ended | null {
  if (connection.status !== "offline") return null;
  switch (connection.reason) {
    case "token":
    case "token_expired":
      return { status: "expired" };
    case "unauthorized":
    case "revoked":
    case "new_login":
    case "ended":
      return { status: "refused", reason: connection.reason };
    default:
      return null; // not connected, or not to be reached
  }
}
