/** The way to the server: the token, REST, and the socket, the way a page of 2016 does it. */

import type { io as Io, Socket } from "socket.io-client";

/** From `<script src="socket.io/socket.io.js">`. */
declare const io: typeof Io;

/** `https://shop.example/live/` for a page at `https://shop.example/live/board`. */
const base = new URL(".", location.href);

/** Takes what the link carries in its fragment out of the address bar, into this tab's own memory. */
export function takeFragment(page: string): URLSearchParams {
  const key = `ordercast.${page}`;
  if (location.hash.length > 1) {
    sessionStorage.setItem(key, location.hash.slice(1));
    history.replaceState(null, "", location.pathname + location.search);
  }
  return new URLSearchParams(sessionStorage.getItem(key) ?? "");
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    detail: string,
  ) {
    super(detail);
  }
}

export class Shop {
  constructor(readonly token: string) {}

  /** A REST call; throws `Problem` with the server's own words. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.token}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    const init: RequestInit = { method, headers };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await fetch(new URL(`api/${path}`, base), init);
    const answer: unknown = await response.json().catch(() => ({}));
    if (!response.ok) {
      const detail = (answer as { detail?: string }).detail ?? `The server answered ${response.status}.`;
      throw new Problem(response.status, detail);
    }
    return answer as T;
  }

  connect(): Socket {
    return io(base.origin, { path: `${base.pathname}socket.io/`, auth: { token: this.token } });
  }
}

const REFUSALS: Record<string, string> = {
  "Authentication required": "This link has no token in it. Open the link you were given once more.",
  "Invalid token": "This link is not valid here. Ask for a new one.",
  "Token expired": "This link has run out. Ask for a new one.",
  token_expired: "This link has run out. Ask for a new one.",
  revoked: "Access was withdrawn. Ask for a new link.",
  new_login: "You are signed in somewhere else now. Reload this page to go on here.",
};

/** Shows in the page's banner how live it is. `data-connection`: live, reconnecting, offline or refused. */
export function showConnection(socket: Socket, banner: HTMLElement): void {
  const show = (state: string, words: string) => {
    document.body.dataset.connection = state;
    banner.textContent = words;
  };
  show("reconnecting", "Connecting …");
  socket.on("connect", () => show("live", "Live"));
  socket.on("force_disconnect", ({ reason }: { reason: string }) => show("refused", REFUSALS[reason] ?? reason));
  socket.on("disconnect", (reason) => {
    if (reason === "io server disconnect") {
      if (document.body.dataset.connection !== "refused") show("offline", "The server has ended this connection. Reload to go on.");
    } else show("reconnecting", "Connection lost. Trying again …");
  });
  socket.on("connect_error", (error) => {
    if (socket.active) show("reconnecting", navigator.onLine ? "The server cannot be reached. Trying again …" : "You are offline.");
    else show("refused", REFUSALS[error.message] ?? error.message);
  });
}

/** An element with text and attributes. Text is never read as HTML. */
export function el(tag: string, attributes: Record<string, string> = {}, ...children: (Node | string)[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
