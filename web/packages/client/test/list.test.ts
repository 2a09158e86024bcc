/** A live list, against the same orders filtered and sorted anew. */

import * as fc from "fast-check";
import { expect, it } from "vitest";
import { OrderList } from "../src/list.ts";
import { key, type Order } from "../src/models.ts";
import { OrderStore } from "../src/store.ts";
import { byNewest } from "../src/watched.ts";
import { order } from "./orders.ts";

const STATUSES = ["received", "ready", "delivered"];
const OPEN = ["received", "ready"];
const anOrder = fc
  .record({ orderId: fc.integer({ min: 1, max: 12 }), status: fc.constantFrom(...STATUSES), minute: fc.integer({ min: 0, max: 5 }) })
  .map(({ orderId, status, minute }) => order({ orderId, status, createdAt: `2026-01-01T00:0${minute}:00.000Z` }));

it("shows after any changes what one would see afresh, and replaces its array only when something changed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(anOrder, { selector: (o) => o.orderId }), fc.array(anOrder), async (first, then) => {
      const store = new OrderStore(() => Promise.reject(new Error("not asked for")), { first: 1, longest: 1 });
      const fetched = first.filter(({ status }) => OPEN.includes(status)).map((o) => ({ ...o, version: 1 }));
      const list = new OrderList({ status: OPEN }, store, async () => ({ orders: fetched, next: null, position: 0 }));
      store.add(list);
      await expect.poll(() => list.state.current.complete).toBe(true);
      const truth = new Map<string, Order>(fetched.map((o) => [key(o.orderId), o]));
      for (const [index, change] of then.entries()) {
        const id = key(change.orderId);
        const createdAt = truth.get(id)?.createdAt ?? change.createdAt; // an order keeps its own
        const next = { ...change, createdAt, version: 2 + index };
        const before = list.state.current.orders;
        const copy = [...before];
        store.snapshot(next);
        truth.set(id, next);
        const shown = list.state.current.orders.map(({ orderId, status, version }) => ({ orderId, status, version }));
        const fresh = [...truth.values()].filter(({ status }) => OPEN.includes(status)).sort(byNewest);
        expect(shown).toEqual(fresh.map(({ orderId, status, version }) => ({ orderId, status, version })));
        expect(before).toEqual(copy);
      }
    }),
    { numRuns: 100 },
  );
});

it("shows the first time what has come, and is complete when the last page is there; later it keeps what it had", async () => {
  const store = new OrderStore(() => Promise.reject(new Error("not asked for")), { first: 1, longest: 1 });
  const asked: number[] = [];
  const answers: ((page: { orders: Order[]; next: string | null; position: number }) => void)[] = [];
  const list = new OrderList({ limit: 1_000 }, store, ({ limit }) => {
    asked.push(Number(limit));
    return new Promise((resolve) => answers.push(resolve));
  });
  const seen = () => [list.state.current.orders.map(({ orderId }) => orderId), list.state.current.complete];
  const page = (orderId: number, next: string | null) => ({ orders: [order({ orderId })], next, position: 0 });
  store.add(list);
  answers.shift()!(page(2, "more"));
  await expect.poll(seen).toEqual([[2], false]);
  answers.shift()!(page(1, null));
  await expect.poll(seen).toEqual([[2, 1], true]);
  expect(asked).toEqual([100, 500]);
  void store.reset();
  answers.shift()!(page(3, "more"));
  await expect.poll(() => answers.length).toBe(1);
  expect(seen()).toEqual([[2, 1], false]);
  answers.shift()!(page(1, null));
  await expect.poll(seen).toEqual([[3, 1], true]);
});
