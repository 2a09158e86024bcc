import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { found, LATER, setUp, shop, turn, updated, WORKFLOW, type Answer } from "./fakes.ts";
import { order } from "./orders.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("with a socket", () => {
  it("is live, merges what it hears and tells each event once", async () => {
    const { client, socket, states } = setUp(shop().answer);
    const heard: number[] = [];
    client.on("order:updated", ({ version }) => heard.push(version));
    const watched = client.watchOrder("17");
    client.connect();
    expect(await socket.accept()).toEqual({ token: "t" });
    await turn();
    expect(states).toEqual(["resuming", "live"]);
    expect(socket.said).toEqual([["watch:order", "17"]]);
    socket.hear("order:updated", updated(2));
    socket.hear("order:updated", updated(2));
    expect(heard).toEqual([2]);
    expect(watched.current).toMatchObject({ complete: true, order: { status: "accepted", version: 2 } });
  });

  it("fetches an order whose version is missing", async () => {
    const { state, answer } = shop();
    const { client, socket, asked } = setUp(answer);
    const watched = client.watchOrder(17);
    client.connect();
    await socket.accept();
    await turn();
    state.order = order({ version: 3, status: "ready", note: "ring" });
    asked.length = 0;
    socket.hear("order:updated", updated(3, "ready"));
    expect(watched.current).toMatchObject({ complete: false, order: { status: "ready", version: 3 } });
    await turn();
    expect(asked).toEqual(["orders/17"]);
    expect(watched.current).toMatchObject({ complete: true, order: { note: "ring", version: 3 } });
  });

  it("hears all that a list does not contain, whichever came first", async () => {
    const before = [order()];
    const after = [order({ version: 2, status: "accepted" }), order({ orderId: 18 })];
    const list = (path: string) => (path.startsWith("orders?") ? found({ orders: before, next: null, position: 101 }) : WORKFLOW);
    const early = setUp(list);
    early.client.watchOrders();
    early.client.connect();
    expect(await early.socket.accept()).toEqual({ token: "t", since: 101, offset: 101 });
    expect(early.states).toEqual(["resuming"]);
    early.socket.hear("caught_up", { position: 103 });
    expect(early.states).toEqual(["resuming", "live"]);

    // Where the list takes long, it is asked for once more.
    const answers: ((answer: Answer) => void)[] = [];
    const late = setUp((path) => (path.startsWith("orders?") ? new Promise((resolve) => void answers.push(resolve)) : WORKFLOW));
    late.client.connect();
    const watched = late.client.watchOrders();
    const auth = late.socket.accept();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await auth).toEqual({ token: "t" });
    for (const [index, orders] of [before, after].entries()) answers[index]!(found({ orders, next: null, position: 101 + index }));
    await turn();
    expect(late.states).toEqual(["resuming", "live"]);
    expect(watched.current.complete).toBe(true);
    expect(new Map(watched.current.orders.map(({ orderId, version }) => [orderId, version]))).toEqual(new Map([[17, 2], [18, 1]]));
  });

  it("says no list's place once it has been connected: the log may be another one by then", async () => {
    const { client, socket } = setUp((path) => (path.startsWith("orders?") ? found({ orders: [order()], next: null, position: 101 }) : WORKFLOW));
    client.connect();
    await socket.accept();
    client.watchOrders();
    await turn();
    socket.drop("transport close");
    await vi.advanceTimersByTimeAsync(LATER);
    expect(await socket.accept()).toEqual({ token: "t" });
  });

  it("waits for no list that is refused", async () => {
    const { client, socket, states } = setUp((path) => (path.startsWith("orders?") ? { status: 422, body: { detail: "no such status" } } : WORKFLOW));
    const watched = client.watchOrders({ status: "typo" });
    client.connect();
    expect(await socket.accept()).toEqual({ token: "t" });
    await turn();
    expect(states).toEqual(["resuming", "live"]);
    expect(watched.current.error?.message).toBe("no such status");
  });

  it("says nothing in a handshake that was given up", async () => {
    const answers: ((answer: Answer) => void)[] = [];
    const { client, socket } = setUp((path) => (path.startsWith("orders?") ? new Promise((resolve) => void answers.push(resolve)) : WORKFLOW));
    client.watchOrders();
    client.connect();
    const said = vi.fn();
    socket.options.auth(said);
    await turn();
    client.disconnect();
    client.connect();
    const auth = socket.accept();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await auth).toEqual({ token: "t" });
    expect(said).not.toHaveBeenCalled();
  });

  it("comes back from the newest cursor, and is live when it has caught up", async () => {
    const { client, socket, states } = setUp(shop().answer, { since: "log.1" });
    client.watchOrder(17);
    client.connect();
    expect(await socket.accept()).toEqual({ token: "t", since: "log.1", offset: "log.1" });
    expect(states).toEqual(["resuming"]);
    socket.hear("watching", { orderId: 17, status: "received", version: 1, position: 5 });
    socket.hear("caught_up", { position: 5 });
    expect(states).toEqual(["resuming", "live"]);
    socket.hear("position", "log.9");
    socket.drop("transport close");
    socket.said.length = 0;
    await vi.advanceTimersByTimeAsync(LATER);
    expect(socket.tries).toBe(2);
    expect(await socket.accept(true)).toMatchObject({ since: "log.9" });
    expect(socket.said).toEqual([]); // the server still knows what it watches
    socket.hear("caught_up", { position: 12 });
    expect(states).toEqual(["resuming", "live", "resuming", "live"]);
    expect(client.cursor).toBe("log.12");
  });

  it("fetches all anew after resync, and takes versions of another log that are lower", async () => {
    const { state, answer } = shop();
    state.order = order({ version: 7, status: "ready" });
    const { client, socket, states } = setUp(answer, { since: "log.50" });
    const watched = client.watchOrder(17);
    client.connect();
    await turn();
    expect(watched.current.order?.version).toBe(7);
    state.order = order({ version: 2, status: "accepted" });
    await socket.accept();
    socket.hear("resync", { position: 3 });
    expect(states).toEqual(["resuming"]);
    await turn();
    expect(states).toEqual(["resuming", "live"]);
    expect(watched.current.order).toMatchObject({ version: 2, status: "accepted" });
    expect(client.cursor).toBeNull();
  });

  it("hears the other log's lower positions, and takes no answer from before it", async () => {
    const late: ((answer: Answer) => void)[] = [];
    let slow = true;
    const { client, socket } = setUp((path) =>
      path !== "orders/17" ? WORKFLOW : slow ? new Promise((resolve) => void late.push(resolve)) : found(order({ version: 2 })),
    );
    const heard: number[] = [];
    client.on("order:updated", ({ version }) => heard.push(version));
    const watched = client.watchOrder(17);
    client.connect();
    await socket.accept();
    socket.hear("order:updated", { ...updated(8), position: 900 });
    await turn();
    slow = false;
    socket.hear("resync", { position: 3 });
    await turn();
    late[0]!(found(order({ version: 9 })));
    await turn();
    expect(watched.current).toMatchObject({ complete: true, order: { version: 2 } });
    socket.hear("order:updated", { ...updated(3), position: 4 });
    expect(heard).toEqual([8, 3]);
  });

  it.each(["new_login", "revoked", "token_expired"])("stays away after %s", async (reason) => {
    const { client, socket, states } = setUp(shop().answer);
    client.connect();
    await socket.accept();
    socket.hear("force_disconnect", { reason });
    socket.drop("io server disconnect");
    await vi.advanceTimersByTimeAsync(LATER);
    expect(socket.tries).toBe(1);
    expect(states.at(-1)).toBe(`offline ${reason}`);
    client.connect();
    expect(socket.tries).toBe(2);
  });

  it.each(["transport close", "ping timeout", "transport error"])("comes back by itself after %s", async (reason) => {
    const { client, socket } = setUp(shop().answer);
    client.connect();
    await socket.accept();
    socket.drop(reason);
    await vi.advanceTimersByTimeAsync(LATER);
    expect(socket.tries).toBe(2);
  });

  it("makes sure that it still is, when the network may be another", async () => {
    const { client, socket, states } = setUp(shop().answer);
    client.connect();
    await socket.accept();
    client.retryNow();
    client.retryNow();
    expect(socket.said).toEqual([["unwatch:order", null, expect.any(Function)]]);
    (socket.said[0]?.[2] as () => void)();
    await vi.advanceTimersByTimeAsync(LATER);
    expect([socket.tries, states.at(-1)]).toEqual([1, "live"]);
    client.retryNow();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(states.at(-1)).toBe("live");
    await vi.advanceTimersByTimeAsync(1_000);
    expect([socket.tries, states.at(-1)]).toEqual([2, "resuming"]);
    await socket.accept();
    client.retryNow();
    socket.drop("transport close"); // an answer is not waited for on the next one
    await vi.advanceTimersByTimeAsync(1_000);
    await socket.accept();
    await vi.advanceTimersByTimeAsync(LATER);
    expect(socket.tries).toBe(3);
    client.retryNow();
    client.disconnect();
    await vi.advanceTimersByTimeAsync(LATER);
    expect([socket.tries, states.at(-1)]).toEqual([3, "offline closed"]);
  });

  it("lets go of an order with its last watcher", async () => {
    const { client, socket } = setUp(shop().answer);
    const [one, two] = [client.watchOrder(17), client.watchOrder("17")];
    client.connect();
    await socket.accept();
    one.unsubscribe();
    one.unsubscribe();
    expect(socket.said).toEqual([["watch:order", "17"]]);
    two.unsubscribe();
    expect(socket.said.at(-1)).toEqual(["unwatch:order", "17"]);
  });
});
