import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { found, LATER, setUp, shop, turn, updated, type Answer } from "./fakes.ts";
import { order } from "./orders.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = new Promise<Answer>(() => undefined);
const page = (position: number, events: unknown[] = []) => found({ events, position, cursor: `log.${position}` });

describe("without a socket", () => {
  it("polls from its cursor, and goes back to the socket without losing or repeating anything", async () => {
    const answers: ((answer: Answer) => void)[] = [];
    const { answer } = shop(() => new Promise((resolve) => void answers.push(resolve)));
    const { client, socket, states, asked } = setUp(answer, { since: "log.100" });
    const heard: number[] = [];
    client.on("order:updated", ({ version }) => heard.push(version));
    client.watchOrder(17);
    client.connect();
    socket.refuse("xhr poll error");
    expect(asked).not.toContain("events?after=log.100");
    socket.refuse("xhr poll error");
    await turn();
    expect(asked.at(-1)).toBe("events?after=log.100");
    answers.shift()!(page(102, [{ event: "order:updated", data: updated(2), position: 102 }]));
    await turn();
    expect(states.at(-1)).toBe("polling");
    expect(asked.at(-1)).toBe("events?after=log.102&wait=20");

    expect(await socket.accept()).toMatchObject({ since: "log.102" });
    socket.hear("order:updated", updated(2));
    socket.hear("order:updated", updated(3, "ready"));
    expect(states.at(-1)).toBe("polling");
    socket.hear("caught_up", { position: 103 });
    expect(states.at(-1)).toBe("live");
    answers.shift()!(page(103, [{ event: "order:updated", data: updated(3, "ready"), position: 103 }]));
    await turn();
    expect(heard).toEqual([2, 3]);
    expect(states.at(-1)).toBe("live");
    expect(answers).toEqual([]);
  });

  it("fetches all anew where its cursor is gone", async () => {
    const { state, answer } = shop((path) =>
      path === "events" ? page(500) : path.includes("log.1&") || path.endsWith("log.1") ? { status: 410, body: {} } : never,
    );
    const { client, socket, states } = setUp(answer, { since: "log.1" });
    const watched = client.watchOrder(17);
    const told: unknown[] = [];
    client.on("resync", (data) => told.push(data));
    client.connect();
    await turn();
    state.order = order({ version: 9, status: "ready" });
    socket.refuse("timeout");
    socket.refuse("timeout");
    await turn();
    expect(states.at(-1)).toBe("polling");
    expect(client.cursor).toBe("log.500");
    expect(watched.current).toMatchObject({ complete: true, order: { version: 9 } });
    expect(told).toEqual([{ position: 500 }]); // as where a socket brings it
  });

  it("says when nothing can be reached, and goes on trying", async () => {
    let there = false;
    const { answer } = shop((path) => (!there ? new Error("refused") : path.includes("wait") ? never : page(1)));
    const { client, socket, states } = setUp(answer, { since: "log.1" });
    client.connect();
    socket.refuse("timeout");
    socket.refuse("timeout");
    await turn();
    expect(states.at(-1)).toBe("offline unreachable");
    expect(client.connection).toMatchObject({ retrying: true });
    there = true;
    await vi.advanceTimersByTimeAsync(LATER);
    expect(states.at(-1)).toBe("polling");
  });

  it("does not poll where it is told not to", async () => {
    const { client, socket, asked } = setUp(shop().answer, { fallback: false });
    client.connect();
    for (let i = 0; i < 4; i++) socket.refuse("timeout");
    await turn();
    expect(asked).toEqual(["workflow"]);
    expect(client.connection).toMatchObject({ status: "offline", reason: "unreachable", retrying: true });
  });

  it("waits longer each time, and polls, where sockets die before they are let in, or right after", async () => {
    for (const letIn of [false, true]) {
      const { answer } = shop((path) => (path.includes("wait") ? never : page(1)));
      const { client, socket, states } = setUp(answer, { since: "log.1" });
      client.connect();
      let seen = 0;
      for (let time = 0; time < 60; time += 1) {
        if (socket.tries > seen) {
          seen = socket.tries;
          if (letIn) {
            await socket.accept();
            socket.hear("caught_up", { position: 1 });
          }
          socket.drop("transport close");
        }
        await vi.advanceTimersByTimeAsync(1_000);
      }
      expect(socket.tries).toBeGreaterThan(3);
      expect(socket.tries).toBeLessThan(12);
      expect(states.at(-1)).toBe("polling");
      client.disconnect();
    }
  });

  it("comes back at once from a connection that has lasted, whatever was before it", async () => {
    const { client, socket } = setUp(shop().answer, { fallback: false });
    client.connect();
    for (let i = 0; i < 6; i++) socket.drop("transport close");
    await socket.accept();
    await vi.advanceTimersByTimeAsync(10_000);
    const before = socket.tries;
    socket.drop("transport close");
    expect(client.connection.status).toBe("resuming");
    await vi.advanceTimersByTimeAsync(500);
    expect(socket.tries).toBe(before + 1);
  });

  it("waits for nothing more when it is told to try now: neither the socket nor the poll nor an order", async () => {
    let there = false;
    const { answer } = shop((path) => (path.includes("wait") ? never : page(1)));
    const { client, socket, states } = setUp((path) => (there ? answer(path) : new Error("offline")), { since: "log.1", backoff: { first: 60_000, longest: 60_000 } });
    const watched = client.watchOrder(17);
    client.connect();
    for (let i = 0; i < 2; i++) socket.refuse("timeout");
    await turn();
    expect(states.at(-1)).toBe("offline unreachable");
    const before = socket.tries;
    there = true;
    client.retryNow();
    await turn();
    expect(states.at(-1)).toBe("polling");
    expect(socket.tries).toBe(before + 1);
    expect(watched.current.order?.version).toBe(1);
    client.disconnect();
    client.retryNow();
    await vi.advanceTimersByTimeAsync(LATER);
    expect(states.at(-1)).toBe("offline closed");
    expect(socket.tries).toBe(before + 1);
  });
});

describe("told to have no socket", () => {
  it("follows the log by REST, which tells a service of every order", async () => {
    const answers: ((answer: Answer) => void)[] = [];
    const { answer } = shop((path) => (path.includes("wait") ? new Promise((resolve) => void answers.push(resolve)) : page(101)));
    const { client, socket, states, asked } = setUp((path) => (path.startsWith("orders?") ? found({ orders: [], next: null, position: 101 }) : answer(path)), { socket: false });
    const list = client.watchOrders();
    client.connect();
    await turn();
    expect(states).toEqual(["resuming", "polling"]);
    expect(list.current).toMatchObject({ complete: true, orders: [] });
    answers.shift()!(page(102, [{ event: "order:created", data: { ...order(), position: 102 }, position: 102 }]));
    await turn();
    expect(list.current.orders.map(({ orderId }) => orderId)).toEqual([17]);
    await vi.advanceTimersByTimeAsync(LATER);
    client.disconnect();
    expect(states.at(-1)).toBe("offline closed");
    client.connect();
    await turn();
    expect(asked.at(-1)).toBe("events?after=log.102&wait=20");
    expect(socket.tries).toBe(0);
  });
});
