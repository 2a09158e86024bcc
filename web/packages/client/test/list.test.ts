/** A live list, against the same orders filtered and sorted anew. */

import * as fc from "fast-check";
import { expect, it } from "vitest";
import { OrderList } from "../src/list.ts";
import { key, type Order } from "../src/models.ts";
import { Problem } from "../src/rest.ts";
import { OrderStore } from "../src/store.ts";
import { byNewest } from "../src/watched.ts";
import { order } from "./orders.ts";

const STATUSES = ["received", "ready", "delivered"];
const OPEN = ["received", "ready"];
const anOrder = fc
  .record({ orderId: fc.integer({ min: 1, max: 12 }), status: fc.constantFrom(...STATUSES), minute: fc.integer({ min: 0, max: 5 }) })
  .map(({ orderId, status, minute }) => order({ orderId, status, createdAt: `2026-01-01T00:0${minute}:00.000Z` }));

/** What may happen to it: an order as it is now, one that is somebody else's now, or a load that is refused and heals. */
const happening = fc.oneof(
  { weight: 6, arbitrary: anOrder.map((change) => ({ what: "changed" as const, change })) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 12 }).map((orderId) => ({ what: "lost" as const, orderId })) },
  { weight: 1, arbitrary: fc.constant({ what: "refused" as const }) },
);

it("shows after anything what one would see afresh, and replaces its array only when something changed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(anOrder, { selector: (o) => o.orderId }), fc.array(happening), async (first, then) => {
      const store = new OrderStore(() => Promise.reject(new Error("not asked for")), { first: 1, longest: 1 });
      const truth = new Map<string, Order>(first.map((o) => [key(o.orderId), { ...o, version: 1 }]));
      const fresh = () => [...truth.values()].filter(({ status }) => OPEN.includes(status)).sort(byNewest);
      let refusal: Problem | undefined;
      const list = new OrderList({ status: OPEN }, store, async () => {
        if (refusal !== undefined) throw refusal;
        return { orders: fresh(), next: null, position: 0 };
      });
      const seen = (orders: readonly Order[]) => orders.map(({ orderId, status, version }) => ({ orderId, status, version }));
      store.add(list);
      await settled(() => list.state.current.complete);
      for (const [index, happened] of then.entries()) {
        const before = list.state.current.orders;
        const copy = [...before];
        if (happened.what === "changed") {
          const id = key(happened.change.orderId);
          const createdAt = truth.get(id)?.createdAt ?? happened.change.createdAt; // an order keeps its own
          const next = { ...happened.change, createdAt, version: 2 + index };
          truth.set(id, next);
          store.snapshot(next);
        } else if (happened.what === "lost") {
          truth.delete(key(happened.orderId));
          store.lose(key(happened.orderId), new Problem(404, {}));
        } else {
          refusal = new Problem(401, { type: "urn:ordercast:unauthorized" });
          void store.reset();
          await settled(() => list.state.current.error !== undefined);
          expect(seen(list.state.current.orders)).toEqual(seen(before)); // what it had stays
          refusal = undefined;
          store.retry();
          await settled(() => list.state.current.complete);
        }
        expect(list.state.current.error).toBeUndefined();
        expect(seen(list.state.current.orders)).toEqual(seen(fresh()));
        expect(before).toEqual(copy);
        if (happened.what !== "refused" && before.length === list.state.current.orders.length && before.every((order, i) => order === list.state.current.orders[i])) {
          expect(list.state.current.orders).toBe(before);
        }
      }
    }),
    { numRuns: 100 },
  );
});

/** Answers come within some turns of the event loop. */
async function settled(is: () => boolean): Promise<void> {
  for (let turns = 0; turns < 100 && !is(); turns++) await Promise.resolve();
  expect(is()).toBe(true);
}

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
