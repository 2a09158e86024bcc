// @vitest-environment happy-dom
import type { ClientEvents, Connection } from "@ordercast/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WINDOW } from "./handover.ts";
import { Session, type SessionClient } from "./session.ts";
import type { SignInPage } from "./signInPage.ts";
import { tokenIn, userOf } from "./tokens.ts";

const coded = (what: object) => btoa(JSON.stringify(what)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const token = (userId: unknown, n = 1) => `${coded({ alg: "HS256" })}.${coded({ userId, n })}.c2ln-_`;
const [OLD, NEW] = [token("ana", 1), token("ana", 2)];

class FakeClient implements SessionClient {
  connection: Connection = { status: "live", lastSyncedAt: 1 };
  renewed = 0;
  readonly #listeners = new Map<string, (data: never) => void>();
  on<Name extends keyof ClientEvents>(name: Name, listener: (data: ClientEvents[Name]) => void): () => void {
    this.#listeners.set(name, listener);
    return () => void this.#listeners.delete(name);
  }
  onConnection = (listener: () => void) => {
    this.#listeners.set("connection", listener);
    return () => void this.#listeners.delete("connection");
  };
  renewToken(): void {
    this.renewed += 1;
    if (this.connection.status === "offline" && !this.connection.retrying) this.is({ status: "resuming" });
  }
  hears<Name extends keyof ClientEvents>(name: Name, data: ClientEvents[Name]): void {
    (this.#listeners.get(name) as (data: ClientEvents[Name]) => void)(data);
  }
  is(connection: Partial<Connection>): void {
    this.connection = { lastSyncedAt: 1, ...connection } as Connection;
    (this.#listeners.get("connection") as () => void)();
  }
}

const turn = () => vi.advanceTimersByTimeAsync(0);
let ends: (() => void)[] = [];
let answers: (string | number)[];
let asked: unknown[][];

beforeEach(() => {
  vi.useFakeTimers();
  sessionStorage.clear();
  window.name = "";
  history.replaceState(null, "", "/live/board?wall");
  answers = [];
  asked = [];
  vi.stubGlobal("fetch", async (...how: unknown[]) => {
    asked.push(how);
    const answer = answers.shift() ?? 500;
    return typeof answer === "number" ? { ok: false, status: answer } : { ok: true, status: 200, text: async () => answer };
  });
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function open(page: Partial<SignInPage> = {}, client = new FakeClient()) {
  const session = new Session(async () => ({ shopName: null, loginUrl: null, refreshUrl: null, ...page }));
  ends.push(session.follow(client), session.listen());
  await turn();
  return { session, client, status: () => session.state.status };
}

describe("what was pasted", () => {
  it.each([OLD, ` ${OLD}\n`, `Bearer ${OLD}`, `https://shop.example/board#token=${OLD}`, `token=${OLD}`, `https://shop.example/board?x=1#token=${encodeURIComponent(OLD)}&y`])("holds a token: %s", (text) => {
    expect(tokenIn(text)).toBe(OLD);
  });
  it.each(["", "hello", "https://shop.example/board", "a.b", `${OLD}.x.y`, `${"a".repeat(4095)}.b.c`])("holds none: %s", (text) => {
    expect(tokenIn(text)).toBeNull();
  });
  it("says whose it is", () => {
    expect([userOf(token(7)), userOf(token("ben")), userOf(token(null)), userOf("a.b.c")]).toEqual(["7", "ben", null, null]);
    expect(userOf(`x.${coded({ sub: "ana?>" })}.y`)).toBe("ana?>");
  });
});

describe("a link", () => {
  it("is taken out of the address bar at once and kept in this tab", async () => {
    history.replaceState(null, "", `/live/board?wall&order=17#token=${OLD}`);
    const session = new Session(() => new Promise(() => undefined));
    expect(location.href).toMatch(/\/live\/board\?wall&order=17$/);
    expect([session.state.status, session.user, await session.token()]).toEqual(["signed-in", "ana", OLD]);
    expect(await new Session(() => new Promise(() => undefined)).token()).toBe(OLD); // a reload
    expect(JSON.stringify(localStorage)).not.toContain(OLD);
  });

  it("opened again in the same tab goes on with the new token", async () => {
    sessionStorage.setItem("ordercast.board.token", OLD);
    const { session, client } = await open();
    await session.token();
    location.hash = `#token=${NEW}`;
    window.dispatchEvent(new Event("hashchange"));
    expect([client.renewed, await session.token(), location.hash]).toEqual([1, NEW, ""]);
  });

  it("is not mistaken for another fragment", async () => {
    history.replaceState(null, "", "/live/board#column-2");
    const { status } = await open();
    expect([status(), location.hash]).toEqual(["none", "#column-2"]);
  });
});

describe("the client's tokens", () => {
  it("are renewed silently where the shop says how, as JSON or text", async () => {
    sessionStorage.setItem("ordercast.board.token", OLD);
    const { session, client, status } = await open({ refreshUrl: "https://shop.example/token" });
    expect(await session.token()).toBe(OLD);
    client.hears("token:expiring", { expiresAt: 60 });
    answers = [JSON.stringify({ token: NEW })];
    expect([await session.token(), status()]).toEqual([NEW, "signed-in"]);
    expect(asked[0]).toMatchObject(["https://shop.example/token", { method: "POST", credentials: "include" }]);
    answers = [`${token("ana", 3)}\n`];
    expect(await session.token()).toBe(token("ana", 3));
    expect(sessionStorage.getItem("ordercast.board.token")).toBe(token("ana", 3));
  });

  it("fail where the shop refuses, and it says when it ends", async () => {
    sessionStorage.setItem("ordercast.board.token", OLD);
    const { session, client, status } = await open({ refreshUrl: "https://shop.example/token" });
    await session.token();
    client.hears("token:expiring", { expiresAt: 60 });
    expect(status()).toBe("signed-in");
    answers = [401];
    await expect(session.token()).rejects.toThrow("401");
    client.hears("token:refresh_failed", { error: "401" });
    expect(session.state).toMatchObject({ status: "expiring", expiresAt: 60 });
    answers = ["<html>"];
    await expect(session.token()).rejects.toThrow("no token");
    client.is({ status: "offline", reason: "token", retrying: true });
    expect(status()).toBe("expired");
    answers = [NEW];
    await vi.advanceTimersByTimeAsync(30_000); // signed in at the shop meanwhile
    expect([client.renewed, await session.token()]).toEqual([1, NEW]);
  });

  it("are renewed when the server has ended one without a warning, before anybody is asked", async () => {
    sessionStorage.setItem("ordercast.board.token", OLD);
    const { session, client, status } = await open({ refreshUrl: "https://shop.example/token" });
    await session.token();
    const told: string[] = [];
    session.subscribe(() => told.push(status()));
    answers = [NEW];
    client.is({ status: "offline", reason: "token_expired", retrying: false });
    expect(status()).toBe("signed-in");
    await turn();
    expect([client.renewed, await session.token()]).toEqual([1, NEW]);
    client.is({ status: "live" });
    expect([told, status()]).toEqual([[], "signed-in"]);
    answers = [401];
    client.is({ status: "offline", reason: "token_expired", retrying: false });
    await turn();
    expect(status()).toBe("expired");
  });

  it("are had at the start from a shop where somebody is signed in", async () => {
    answers = [NEW];
    const { session, status } = await open({ refreshUrl: "/token" });
    expect([status(), session.user, await session.token()]).toEqual(["signed-in", "ana", NEW]);
  });
});

describe("without a way to renew", () => {
  it("says that it ends, keeps giving the old one, and goes on with a pasted one", async () => {
    sessionStorage.setItem("ordercast.board.token", OLD);
    const { session, client, status } = await open();
    await session.token();
    client.hears("token:expiring", { expiresAt: 60 });
    expect([status(), await session.token()]).toEqual(["expiring", OLD]);
    client.hears("token:refreshed", { expiresAt: 60 }); // with the old one
    expect(status()).toBe("expiring");
    expect([session.accept("nothing"), status()]).toEqual([false, "expiring"]);
    expect([session.accept(NEW), client.renewed, await session.token(), status()]).toEqual([true, 1, NEW, "signed-in"]);
    client.hears("token:refreshed", { expiresAt: 3660 });
    expect(status()).toBe("signed-in");
  });

  it("says that a pasted one was refused", async () => {
    sessionStorage.setItem("ordercast.board.token", OLD);
    const { session, client } = await open();
    session.accept(NEW);
    client.hears("token:refresh_failed", { error: "Invalid token" });
    expect(session.state).toMatchObject({ status: "refused", reason: "unauthorized" });
    session.accept(token("ana", 3));
    expect(session.state.status).toBe("signed-in");
  });

  it.each([
    ["token_expired", { status: "expired" }],
    ["revoked", { status: "refused", reason: "revoked" }],
    ["new_login", { status: "refused", reason: "new_login" }],
    ["unauthorized", { status: "refused", reason: "unauthorized" }],
    ["unreachable", { status: "signed-in" }],
  ] as const)("knows what %s means", async (reason, state) => {
    sessionStorage.setItem("ordercast.board.token", OLD);
    const { session, client } = await open();
    client.is({ status: "offline", reason, retrying: reason === "unreachable" });
    expect(session.state).toMatchObject(state);
    client.is({ status: "live" });
    expect(session.state.status).toBe("signed-in");
  });

  it("does not give another user's token to this one's client", async () => {
    sessionStorage.setItem("ordercast.board.token", OLD);
    const { session, client } = await open();
    session.accept(token("ben"));
    expect([client.renewed, session.user]).toEqual([0, "ben"]);
  });
});

describe("a window for signing in", () => {
  /** A board, and what its window then is, in one: they share the address. */
  async function signInElsewhere(arrange: (link: URL) => void, as = NEW) {
    vi.useRealTimers();
    sessionStorage.setItem("ordercast.board.token", OLD);
    const page = async () => ({ shopName: null, loginUrl: "https://shop.example/login?a=1", refreshUrl: null });
    const board = new Session(page);
    const client = new FakeClient();
    ends.push(board.follow(client), board.listen());
    await vi.waitFor(() => expect(board.loginLink(true)).not.toBeNull(), { timeout: 30_000 });
    client.is({ status: "offline", reason: "token_expired", retrying: false });
    const link = new URL(board.loginLink(true)!);
    expect([link.origin, link.searchParams.get("a")]).toEqual(["https://shop.example", "1"]);
    arrange(new URL(link.searchParams.get("return")!));
    history.replaceState(null, "", `${location.pathname}${location.search}#token=${as}`);
    const close = vi.fn();
    vi.stubGlobal("close", close);
    window.close = close;
    const taken = await new Session(page).handOver();
    return { board, client, taken, close };
  }

  it("gives its token to the board that waits, by the way back", async () => {
    const { board, client, taken, close } = await signInElsewhere((back) => history.replaceState(null, "", back));
    expect([taken, client.renewed, await board.token(), close.mock.calls.length]).toEqual([true, 1, NEW, 1]);
    expect(location.href).not.toContain("handover");
  });

  it("gives it by its name, too, where the shop forgets the way back", async () => {
    const { board, taken } = await signInElsewhere(() => (window.name = WINDOW));
    expect([taken, await board.token()]).toEqual([true, NEW]);
  });

  it("becomes a board where nobody waits for such a user", async () => {
    const { board, taken, close } = await signInElsewhere(() => (window.name = WINDOW), token("ben"));
    expect([taken, close.mock.calls.length, board.user]).toEqual([false, 0, "ana"]);
  });

  it("is no other window", async () => {
    const { taken } = await signInElsewhere(() => undefined);
    expect(taken).toBe(false);
  });
});
