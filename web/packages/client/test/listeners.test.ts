/** A listener of the application's that throws: everybody else goes on, and the error is seen. */

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { found, LATER, setUp, shop, turn, updated, WORKFLOW } from "./fakes.ts";
import { order } from "./orders.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Errors that would be reported as uncaught. */
const uncaught = () => vi.spyOn(Promise, "reject").mockImplementation(() => new Promise<never>(() => undefined));
const broken = () => {
  throw new Error("render failed");
};

it("keeps no change from a list, another listener or an event's", async () => {
  const { client, socket } = setUp((path) =>
    path === "workflow" ? WORKFLOW : found(path.startsWith("orders?") ? { orders: [order()], next: null, position: 101 } : order()),
  );
  const [watched, list] = [client.watchOrder(17), client.watchOrders()];
  client.connect();
  await socket.accept();
  await turn();
  const [heard, shown] = [vi.fn(), vi.fn()];
  const seen = uncaught();
  watched.subscribe(broken);
  watched.subscribe(shown);
  client.on("order:updated", broken);
  client.on("order:updated", heard);
  socket.hear("order:updated", updated(2));
  expect(list.current.orders).toMatchObject([{ version: 2 }]);
  expect([shown.mock.calls.length, heard.mock.calls.length]).toEqual([1, 1]);
  expect(seen.mock.calls).toEqual([[new Error("render failed")], [new Error("render failed")]]);
});

it("is no failure of polling, which goes on behind what was told", async () => {
  const pages = [{ events: [], position: 101, cursor: "log.101" }, { events: [{ event: "order:updated", data: updated(2), position: 102 }], position: 102, cursor: "log.102" }];
  const { answer } = shop(() => (pages.length > 0 ? found(pages.shift()) : new Promise(() => undefined)));
  const { client, socket, states, asked } = setUp(answer, { since: "log.100" });
  const watched = client.watchOrder(17);
  client.connect();
  await turn();
  uncaught();
  watched.subscribe(broken);
  socket.refuse("timeout");
  socket.refuse("timeout");
  await vi.advanceTimersByTimeAsync(10);
  expect(watched.current.order?.version).toBe(2);
  expect(client.cursor).toBe("log.102");
  await vi.advanceTimersByTimeAsync(LATER / 4);
  expect(states).toEqual(["resuming", "polling"]);
  expect(asked.filter((path) => path.startsWith("events"))).toEqual(["events?after=log.100", "events?after=log.101&wait=20", "events?after=log.102&wait=20"]);
});
