/** A refusal is the truth of its moment: what was refused is had as soon as it may be, and what is lost is shown no more. */

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { found, LATER, setUp, turn, updated, WORKFLOW, type Answer } from "./fakes.ts";
import type { Order } from "../src/models.ts";
import { order } from "./orders.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const NO_ORDER: Answer = { status: 404, body: { type: "urn:ordercast:not-found", title: "There is no such order", detail: "There is no order 17." } };
const EXPIRED: Answer = { status: 401, body: { type: "urn:ordercast:unauthorized", title: "Invalid token" } };
const FOREIGN = { status: 404, body: "default backend - 404" };
const DENIED = { orderId: 17, error: "not_found" };
const gone = (position: number) => ({ orderId: 17, version: position - 100, position });

/** A server with at most one order; `says` takes the place of its answers about orders. */
function server() {
  const state: { order: Order | undefined; says: Answer | undefined } = { order: order(), says: undefined };
  const answer = (path: string): Answer => {
    if (!path.startsWith("orders")) return path === "workflow" ? WORKFLOW : new Error("unreachable");
    if (state.says !== undefined) return state.says;
    if (path.startsWith("orders?")) return found({ orders: state.order === undefined ? [] : [state.order], next: null, position: 101 });
    return state.order === undefined ? NO_ORDER : found(state.order);
  };
  return { state, answer };
}

function watching(answer: (path: string) => Answer | Promise<Answer>, options = {}) {
  const all = setUp(answer, options);
  const [watched, list] = [all.client.watchOrder(17), all.client.watchOrders()];
  const seen = () => [watched.current.order?.version, (watched.current.error as { status?: number } | undefined)?.status, list.current.orders.map(({ version }) => version), list.current.error?.name];
  return { ...all, watched, list, seen };
}

it("has all that an old token was refused once it goes on with a new one", async () => {
  const { state, answer } = server();
  state.says = EXPIRED;
  const { client, socket, seen, list } = watching(answer, { token: () => "t" });
  client.connect();
  await turn();
  socket.refuse("Invalid token");
  await turn();
  socket.refuse("Invalid token");
  await turn();
  expect(seen()).toEqual([undefined, 401, [], "Problem"]);
  state.says = undefined;
  client.renewToken();
  await socket.accept();
  await turn();
  socket.hear("caught_up", { position: 101 });
  expect(seen()).toEqual([1, undefined, [1], undefined]);
  expect(list.current.complete).toBe(true);
});

it("has what it was refused once its connection goes on with a token that may see it", async () => {
  const { state, answer } = server();
  state.says = { status: 403, body: {} };
  const { client, socket, seen } = watching(answer, { token: () => "t" });
  client.connect();
  await socket.accept();
  await turn();
  expect(seen()).toEqual([undefined, 403, [], "Problem"]);
  state.says = undefined;
  client.renewToken();
  await turn();
  (socket.said.at(-1)![2] as (answer: object) => void)({ expiresAt: null });
  await turn();
  expect(seen()).toEqual([1, undefined, [1], undefined]);
});

it("has an order of a list again that it was refused for its token's sake", async () => {
  const { state, answer } = server();
  const { client, socket, seen, watched } = watching(answer, { token: () => "t" });
  watched.unsubscribe();
  client.connect();
  await socket.accept();
  await turn();
  state.order = order({ version: 3 });
  state.says = EXPIRED;
  socket.hear("order:updated", updated(3));
  await turn();
  expect(seen()[2]).toEqual([]);
  state.says = undefined;
  client.renewToken();
  await turn();
  (socket.said.at(-1)![2] as (answer: object) => void)({ expiresAt: null });
  await turn();
  expect(seen()[2]).toEqual([3]);
});

it.each([404, 403, 401, 405])("takes a %i in words that are not Ordercast's for nobody's answer", async (status) => {
  const { state, answer } = server();
  state.says = { ...FOREIGN, status };
  const { client, socket, seen, asked } = watching(answer);
  client.connect();
  void socket.accept();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(seen()).toEqual([undefined, undefined, [], undefined]);
  expect(asked.length).toBeLessThan(30);
  state.says = undefined;
  await vi.advanceTimersByTimeAsync(LATER);
  expect(seen()).toEqual([1, undefined, [1], undefined]);
});

it("has an order that was denied, and its list too, when it hears of it", async () => {
  const { state, answer } = server();
  state.order = undefined;
  const { client, socket, seen } = watching(answer);
  client.connect();
  await socket.accept();
  socket.hear("watch:denied", DENIED);
  await turn();
  socket.hear("caught_up", { position: 101 });
  expect(seen()).toEqual([undefined, 404, [], undefined]);
  state.order = order({ version: 2 });
  socket.hear("order:changed", { orderId: 17, changes: { customerId: 42 }, version: 2, position: 102 });
  await turn();
  expect(seen()).toEqual([2, undefined, [2], undefined]);
});

it("asks again for what was refused after an interruption, and not before", async () => {
  const { state, answer } = server();
  state.order = undefined;
  const { client, socket, seen, asked } = watching(answer);
  client.connect();
  await socket.accept();
  socket.hear("watch:denied", DENIED);
  socket.hear("caught_up", { position: 101 });
  await vi.advanceTimersByTimeAsync(LATER);
  expect(asked.filter((path) => path === "orders/17").length).toBe(1);
  socket.drop("transport close");
  await vi.advanceTimersByTimeAsync(LATER);
  state.order = order();
  const told = vi.fn();
  client.on("connection", told);
  await socket.accept();
  expect(seen()).toEqual([undefined, 404, [], undefined]); // what is shown stays until there is an answer
  socket.hear("caught_up", { position: 101 });
  await turn();
  expect(seen()).toEqual([1, undefined, [1], undefined]);
});

it("shows no order any more that is somebody else's now, also in a list alone, and takes no answer from before that", async () => {
  const { state, answer } = server();
  const late: ((answer: Answer) => void)[] = [];
  let slow = false;
  const { client, socket, seen, watched } = watching((path) => (slow && path === "orders/17" ? new Promise((resolve) => void late.push(resolve)) : answer(path)));
  client.connect();
  await socket.accept();
  socket.hear("watching", { orderId: 17, status: "received", version: 1, position: 101 });
  socket.hear("caught_up", { position: 101 });
  await turn();
  expect(seen()).toEqual([1, undefined, [1], undefined]);
  slow = true;
  socket.hear("order:updated", updated(3)); // of which it has to fetch the whole
  const asked = client.getOrder(17);
  await turn();
  socket.hear("watch:denied", DENIED);
  expect(seen()).toEqual([undefined, 404, [], undefined]);
  expect(late.length).toBe(2);
  for (const resolve of late) resolve(found(order({ version: 3, note: "a secret by now" })));
  await asked;
  await turn();
  expect(seen()).toEqual([undefined, 404, [], undefined]);

  watched.unsubscribe();
  state.order = order({ version: 5 });
  slow = false;
  socket.hear("order:changed", { orderId: 17, changes: { customerId: 42 }, version: 5, position: 105 });
  await turn();
  expect(seen()[2]).toEqual([5]);
  socket.hear("order:gone", gone(106));
  expect(seen()[2]).toEqual([]);
  state.order = order({ version: 7 });
  socket.hear("order:changed", { orderId: 17, changes: { customerId: 42 }, version: 7, position: 107 });
  await turn();
  socket.hear("order:gone", gone(106)); // once more, as after a torn connection
  expect(seen()[2]).toEqual([7]);
});

it("loses an order where it polls as where it listens, also from a list that is loading", async () => {
  const { answer } = server();
  let lists = 0;
  const polled = (event: string, data: object) => found({ events: [{ event, data, position: 102 }], position: 102, cursor: "log.102" });
  const { client, socket, seen } = watching(
    (path) => {
      if (path === "events?after=log.101") return polled("order:gone", gone(102));
      if (path.startsWith("events")) return new Promise(() => undefined);
      return path.startsWith("orders?") && ++lists > 1 ? new Promise(() => undefined) : answer(path);
    },
    { since: "log.101" },
  );
  const told = vi.fn();
  client.on("order:gone", told);
  client.connect();
  await socket.accept();
  await turn();
  socket.hear("resync", { position: 101 });
  socket.hear("position", "log.101");
  expect(seen()).toEqual([1, undefined, [1], undefined]); // while all is fetched anew
  socket.drop("transport close");
  for (let i = 0; i < 2; i++) socket.refuse("timeout");
  await turn();
  expect(told).toHaveBeenCalledWith(gone(102));
  expect(seen()).toEqual([undefined, 404, [], undefined]);
});

it("believes the news more than a refusal from before them", async () => {
  const { answer } = server();
  const late: ((answer: Answer) => void)[] = [];
  const { client, socket, watched } = watching((path) => (path === "orders/17" && late.length === 0 ? new Promise((resolve) => void late.push(resolve)) : path.startsWith("orders?") ? found({ orders: [], next: null, position: 101 }) : answer(path)));
  client.connect();
  await socket.accept();
  await turn();
  socket.hear("order:updated", updated(1));
  late[0]!(NO_ORDER);
  await turn();
  expect(watched.current).toMatchObject({ complete: true, error: undefined, order: { version: 1 } });
});

it("does not ask at once again where the server has an older order than it told of", async () => {
  const { state, answer } = server();
  const { client, socket, watched, asked } = watching(answer);
  client.connect();
  await socket.accept();
  await turn();
  asked.length = 0;
  socket.hear("order:updated", updated(4));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked.length).toBeGreaterThan(2);
  expect(asked.length).toBeLessThan(10);
  state.order = order({ version: 4, note: "ring" });
  await vi.advanceTimersByTimeAsync(LATER);
  expect(watched.current).toMatchObject({ complete: true, order: { note: "ring" } });
});

it("says that it watches too many, whatever REST says of the order", async () => {
  const { answer } = server();
  const { client, socket, watched } = watching(answer);
  client.connect();
  await socket.accept();
  socket.hear("watch:denied", { orderId: 17, error: "too_many_watches" });
  await turn();
  expect((watched.current.error as { status?: number } | undefined)?.status).toBe(429);
  socket.hear("watching", { orderId: 17, status: "received", version: 1, position: 101 }); // as after an unwatch of another
  await turn();
  expect(watched.current.error).toBeUndefined();
});
