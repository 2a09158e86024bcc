import { OrdercastClient } from "@ordercast/client";
import { combineSlices, configureStore, createListenerMiddleware, type UnknownAction } from "@reduxjs/toolkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { found, setUp, WORKFLOW, type Answer } from "../../client/test/fakes.ts";
import { order } from "../../client/test/orders.ts";
import {
  connect,
  connectSocket,
  disconnectSocket,
  ordercastMiddleware,
  ordercastSlice,
  selectConnection,
  selectEntry,
  selectOrder,
  selectOrders,
  startOrdercast,
  unwatchOrder,
  unwatchOrders,
  watchOrder,
  watchOrders,
} from "../src/index.ts";

const answer = (path: string): Answer => {
  if (path === "workflow") return WORKFLOW;
  if (path === "orders/17") return found(order());
  const called = /^orders\/([a-z_]+)$/i.exec(path)?.[1];
  if (called !== undefined) return found(order({ orderId: called, createdAt: "2025-01-01T00:00:00.000Z" }));
  if (path.startsWith("orders?")) return found({ orders: [order(), order({ orderId: 18 })], next: null, position: 101 });
  return { status: 404, body: { title: "Not found", detail: "There is no order 99, or it is not yours." } };
};
const updated = (version: number, status = "accepted") => ({ orderId: 17, status, updatedAt: "2026-01-01T00:01:00.000Z", version, position: 100 + version });
const turn = () => vi.advanceTimersByTimeAsync(0);

/** What Redux Toolkit says against a state or an action: not serializable, or mutated. */
const warned: unknown[][] = [];
let types: string[];
let heard: UnknownAction[];
const recorder = () => (next: (action: unknown) => unknown) => (action: unknown) => {
  heard.push(action as UnknownAction);
  if (/^[A-Z]/.test((action as UnknownAction).type)) types.push((action as UnknownAction).type);
  return next(action);
};
beforeEach(() => {
  types = [];
  heard = [];
  warned.length = 0;
  vi.stubGlobal("console", { error: (...args: unknown[]) => void warned.push(args), warn: (...args: unknown[]) => void warned.push(args) });
  vi.useFakeTimers();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A store of each kind, around a server in memory. */
const stores = {
  middleware: () => {
    const { client, socket } = setUp(answer);
    const store = configureStore({
      reducer: combineSlices(ordercastSlice),
      middleware: (defaults) => defaults().concat(ordercastMiddleware(client), recorder),
    });
    return { store, socket };
  },
  listeners: () => {
    const { client, socket } = setUp(answer);
    const listening = createListenerMiddleware();
    startOrdercast(listening.startListening, client);
    const store = configureStore({
      reducer: combineSlices(ordercastSlice),
      middleware: (defaults) => defaults().prepend(listening.middleware).concat(recorder),
    });
    return { store, socket };
  },
};

describe.each(Object.entries(stores))("with %s", (_, make) => {
  it("tells a store what it hears, each once, and keeps what is watched", async () => {
    const { store, socket } = make();
    store.dispatch(connectSocket());
    store.dispatch(watchOrder(17));
    await socket.accept();
    await turn();
    expect(types).toEqual(["SOCKET_CONNECTED"]);
    expect(selectConnection(store.getState()).status).toBe("live");
    expect(selectOrder(store.getState(), 17)).toMatchObject({ status: "received", version: 1 });
    socket.hear("order:updated", updated(2));
    socket.hear("order:status_changed", { ...updated(2), customerId: 42, updatedBy: null });
    socket.hear("order:updated", updated(3, "preparing"));
    expect(heard.filter(({ type }) => type === "ORDER_STATUS_UPDATED").map(({ payload }) => payload)).toEqual([
      { orderId: 17, status: "accepted", version: 2, updatedAt: "2026-01-01T00:01:00.000Z" },
      { orderId: 17, status: "preparing", version: 3, updatedAt: "2026-01-01T00:01:00.000Z" },
    ]);
    expect(selectOrder(store.getState(), "17")).toMatchObject({ status: "preparing", version: 3 });
    socket.drop("transport close");
    expect(heard.at(-1)).toEqual({ type: "SOCKET_DISCONNECTED", payload: { reason: "lost" } });
    await socket.accept(true);
    socket.hear("caught_up", { position: 103 });
    store.dispatch(disconnectSocket());
    expect(types.slice(-2)).toEqual(["SOCKET_CONNECTED", "SOCKET_DISCONNECTED"]);
    expect(heard.at(-1)).toMatchObject({ payload: { reason: "closed" } });
  });

  it("watches until the last one has had enough", async () => {
    const { store, socket } = make();
    store.dispatch(connectSocket());
    await socket.accept();
    store.dispatch(watchOrder(17));
    store.dispatch(watchOrder("17"));
    await turn();
    store.dispatch(unwatchOrder(17));
    expect(selectOrder(store.getState(), 17)).toBeDefined();
    store.dispatch(unwatchOrder(17));
    expect(selectEntry(store.getState(), 17)).toBeUndefined();
    expect(socket.said).toEqual([["watch:order", "17"], ["unwatch:order", "17"]]);
  });

  it("keeps lists by name, and why an order cannot be had", async () => {
    const { store, socket } = make();
    store.dispatch(watchOrders());
    store.dispatch(watchOrder(99));
    store.dispatch(connectSocket());
    await socket.accept();
    await turn();
    expect(selectOrders(store.getState()).map(({ orderId }) => orderId)).toEqual([18, 17]);
    expect(selectEntry(store.getState(), 99)).toMatchObject({ order: undefined, error: { status: 404 } });
    store.dispatch(watchOrders({ status: "ready" }, "ready"));
    expect(selectOrders(store.getState(), "ready")).toEqual([]);
    store.dispatch(unwatchOrders());
    expect(selectOrders(store.getState())).toEqual([]);
  });

  it.each(["__proto__", "constructor", "toString"])("takes an order and a list called %s like any other", async (name) => {
    const { store, socket } = make();
    expect(selectEntry(store.getState(), name)).toBeUndefined();
    expect(selectOrders(store.getState(), name)).toEqual([]);
    store.dispatch(connectSocket());
    store.dispatch(watchOrder(name));
    store.dispatch(watchOrder(17));
    store.dispatch(watchOrders({}, name));
    await socket.accept();
    await turn();
    expect(selectOrder(store.getState(), name)).toMatchObject({ orderId: name, status: "received" });
    expect(selectOrders(store.getState(), name).map(({ orderId }) => orderId)).toEqual([18, 17, name]);
    socket.hear("order:updated", { ...updated(2), orderId: name });
    expect(selectOrder(store.getState(), name)).toMatchObject({ orderId: name, status: "accepted" });
    store.dispatch(unwatchOrders(name));
    store.dispatch(unwatchOrder(name));
    expect(selectEntry(store.getState(), name)).toBeUndefined();
    expect(selectOrders(store.getState(), name)).toEqual([]);
    expect(selectOrder(store.getState(), 17)).toBeDefined();
    expect(warned).toEqual([]);
  });

  it("says that it was refused, and why", async () => {
    const { store, socket } = make();
    store.dispatch(connectSocket());
    socket.refuse("revoked");
    expect(heard.at(-1)).toEqual({ type: "SOCKET_DISCONNECTED", payload: { reason: "revoked" } });
  });
});

describe("a store", () => {
  it("may be what the token comes from", async () => {
    let token: unknown;
    const { socket } = (() => {
      const store = configureStore({
        reducer: { auth: () => ({ token: "from.the.store" }) },
        middleware: (defaults) =>
          defaults().concat(
            ordercastMiddleware(({ getState }) => {
              const { auth } = getState() as { auth: { token: string } };
              return made(() => auth.token);
            }),
          ),
      });
      let socket!: ReturnType<typeof setUp>["socket"];
      const made = (of: () => string): OrdercastClient => {
        const set = setUp(answer, { token: of });
        socket = set.socket;
        return set.client;
      };
      store.dispatch(connectSocket());
      return { socket };
    })();
    ({ token } = await socket.accept());
    expect(token).toBe("from.the.store");
  });
});

describe("plain functions", () => {
  it("serve any dispatch", async () => {
    const { client, socket } = setUp(answer);
    const told: string[] = [];
    const { watchOrder, disconnect } = connect({ token: "t", client, dispatch: ({ type }) => told.push(type) });
    const unwatch = watchOrder(17);
    await socket.accept();
    await turn();
    socket.hear("order:updated", updated(2));
    unwatch();
    unwatch();
    expect(socket.said).toEqual([["watch:order", "17"], ["unwatch:order", "17"]]);
    disconnect();
    expect(told.filter((type) => /^[A-Z]/.test(type))).toEqual(["SOCKET_CONNECTED", "ORDER_STATUS_UPDATED", "SOCKET_DISCONNECTED"]);
    const { length } = told;
    socket.hear("order:updated", updated(3));
    expect(told).toHaveLength(length);
  });
});
