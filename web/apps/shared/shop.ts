/** What both pages share: the link's own token, the way to the server, the banner. */

import { OrdercastClient, retryOnReturn } from "@ordercast/client";

/** Takes what the link carries in its fragment out of the address bar, into this tab's own memory. */
export function takeFragment(page: string): URLSearchParams {
  const key = `ordercast.${page}`;
  if (location.hash.length > 1) {
    sessionStorage.setItem(key, location.hash.slice(1));
    history.replaceState(null, "", location.pathname + location.search);
  }
  return new URLSearchParams(sessionStorage.getItem(key) ?? "");
}

/** The server is where the page is from: `https://shop.example/live/` for one at `https://shop.example/live/board`. */
export const clientFor = (token: string): OrdercastClient => new OrdercastClient(new URL(".", location.href).href, { token });

const ENDED: Record<string, string> = {
  unauthorized: "This link is not valid here. Ask for a new one.",
  token_expired: "This link has run out. Ask for a new one.",
  revoked: "Access was withdrawn. Ask for a new link.",
  new_login: "You are signed in somewhere else now. Reload this page to go on here.",
};

/** Shows in the page's banner how live it is. `data-connection`: live, polling, reconnecting, offline or refused. */
export function showConnection(client: OrdercastClient, banner: HTMLElement): void {
  const show = (state: string, words: string) => {
    document.body.dataset.connection = state;
    banner.textContent = words;
  };
  show("reconnecting", "Connecting …");
  client.on("connection", (now) => {
    if (now.status === "live") show("live", "Live");
    else if (now.status === "polling") show("polling", "Live, over a slower connection");
    else if (now.status === "resuming") show("reconnecting", now.lastSyncedAt === null ? "Connecting …" : "Connection lost. Trying again …");
    else if (now.retrying) show("reconnecting", navigator.onLine ? "The server cannot be reached. Trying again …" : "You are offline.");
    else if (now.reason in ENDED) show("refused", ENDED[now.reason]!);
    else show("offline", "The server has ended this connection. Reload to go on.");
  });
  retryOnReturn(client);
}

/** An element with text and attributes. Text is never read as HTML. */
export function el(tag: string, attributes: Record<string, string> = {}, ...children: (Node | string)[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
