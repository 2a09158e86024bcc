// @vitest-environment happy-dom
import type { Connection } from "@ordercast/client";
import { act, cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Session, type SessionClient } from "./session.ts";
import { SignIn } from "./SignIn.tsx";
import type { SignInPage } from "./signInPage.ts";

const coded = (what: object) => btoa(JSON.stringify(what)).replaceAll("=", "");
const token = (n: number) => `x.${coded({ userId: "ana", n })}.y`;

let changed: () => void = () => undefined;
let expiring: (data: { expiresAt: number }) => void = () => undefined;
let renewed: number;
const client = {
  connection: { status: "live", lastSyncedAt: 1 } as Connection,
  onConnection: (listener: () => void) => ((changed = listener), () => undefined),
  on: (name: string, listener: never) => {
    if (name === "token:expiring") expiring = listener;
    return () => undefined;
  },
  renewToken: () => void (renewed += 1),
};

let end: () => void;
beforeEach(() => {
  renewed = 0;
  client.connection = { status: "live", lastSyncedAt: 1 };
  sessionStorage.clear();
});
afterEach(() => {
  cleanup();
  end();
});

async function open(signedIn: boolean, page: Partial<SignInPage> = {}) {
  if (signedIn) sessionStorage.setItem("ordercast.board.token", token(1));
  const session = new Session(async () => ({ shopName: "Trattoria", loginUrl: null, refreshUrl: null, ...page }));
  end = session.follow(client as unknown as SessionClient);
  render(
    <>
      <textarea aria-label="Note" />
      <SignIn session={session} />
    </>,
  );
  await act(async () => undefined);
  return session;
}
const is = (connection: Connection) =>
  act(async () => {
    client.connection = connection;
    changed();
  });
const EXPIRED: Connection = { status: "offline", reason: "token_expired", retrying: false, lastSyncedAt: 1 };

it("asks whoever comes without a token, and stays until there is one", async () => {
  await open(false);
  const user = userEvent.setup();
  const dialog = within(screen.getByRole("dialog", { name: "Sign in to Trattoria" }));
  expect(dialog.queryByRole("link")).toBeNull();
  await user.keyboard("{Escape}");
  await user.type(dialog.getByLabelText("Paste a link or a token"), "hello{Enter}");
  expect(dialog.getByText(/There is no token in this/)).toBeTruthy();
  await user.clear(dialog.getByLabelText("Paste a link or a token"));
  await user.type(dialog.getByLabelText("Paste a link or a token"), `https://shop.example/board#token=${token(1)}{Enter}`);
  expect(screen.queryByRole("dialog")).toBeNull();
});

it("leads to the shop's own login, in this window while there is nothing to lose", async () => {
  await open(false, { loginUrl: "https://shop.example/login" });
  const link = screen.getByRole("link", { name: "Sign in at Trattoria" });
  expect(link.getAttribute("href")).toMatch(/^https:\/\/shop\.example\/login\?return=/);
  expect(link.getAttribute("target")).toBeNull();
});

it("lies over the board when a sign-in has ended, keeps what was typed, and goes away by itself", async () => {
  const session = await open(true, { loginUrl: "https://shop.example/login" });
  const user = userEvent.setup();
  await user.type(screen.getByLabelText("Note"), "no onions");
  await is(EXPIRED);
  const dialog = screen.getByRole("alertdialog", { name: "Sign in again" });
  expect(within(dialog).getByRole("link").getAttribute("target")).toBe("ordercast-sign-in");
  await user.click(within(dialog).getByRole("button", { name: "Not now" }));
  expect(screen.queryByRole("alertdialog")).toBeNull();
  await user.type(screen.getByLabelText("Note"), "!");
  await user.click(screen.getByRole("button", { name: "Sign in again" }));
  await user.type(screen.getByLabelText(/paste/), `${token(2)}{Enter}`);
  expect([renewed, await session.token()]).toEqual([1, token(2)]);
  await is({ status: "live", lastSyncedAt: 2 });
  expect(screen.queryByRole("alertdialog")).toBeNull();
  expect((screen.getByLabelText("Note") as HTMLTextAreaElement).value).toBe("no onions!");
});

it("warns before, out of the way", async () => {
  await open(true);
  await act(async () => expiring({ expiresAt: Date.now() / 1000 + 60 }));
  expect(screen.queryByRole("alertdialog")).toBeNull();
  expect(screen.getByRole("status").textContent).toMatch(/^Your sign-in ends soon\. \((59|60) s left\)/);
  await userEvent.setup().click(screen.getByRole("button", { name: "Sign in again" }));
  expect(screen.getByRole("alertdialog")).toBeTruthy();
});

it("offers to go on here where another place has taken over", async () => {
  await open(true);
  await is({ status: "offline", reason: "new_login", retrying: false, lastSyncedAt: 1 });
  await userEvent.setup().click(screen.getByRole("button", { name: "Go on here" }));
  expect(renewed).toBe(1);
});
