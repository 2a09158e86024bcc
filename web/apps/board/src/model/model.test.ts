/** The board's grouping, change by change, against one made afresh. */

import { byNewest, key, type Order } from "@ordercast/client";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { order as sample } from "../parts/sample.ts";
import { changes } from "./changes.ts";
import { Columns, oldestFirst } from "./columns.ts";

const STATUSES = ["received", "accepted", "ready"];

const anOrder = fc
  .record({ orderId: fc.integer({ min: 1, max: 40 }), status: fc.constantFrom(...STATUSES), minute: fc.integer({ min: 0, max: 9 }) })
  .map(({ orderId, status, minute }) => sample({ orderId, status, createdAt: `2026-01-01T00:0${minute}:00.000Z` }));
const aList = fc.uniqueArray(anOrder, { selector: ({ orderId }) => key(orderId), maxLength: 40 }).map((orders) => [...orders].sort(byNewest));

/** Some orders go, some come or are others. Few at a time are placed one by one, many sorted anew. */
const aStep = (many: number) => fc.record({ list: fc.uniqueArray(anOrder, { selector: ({ orderId }) => key(orderId), maxLength: many }), gone: fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: many }) });
const steps = fc.oneof(aStep(2), aStep(40));
const after = (before: readonly Order[], { list, gone }: { list: Order[]; gone: number[] }): Order[] => {
  const others = new Set([...gone.map(String), ...list.map(({ orderId }) => key(orderId))]);
  return [...before.filter(({ orderId }) => !others.has(key(orderId))), ...list].sort(byNewest);
};

const grouped = (orders: readonly Order[], status: string) =>
  orders.filter((order) => order.status === status).sort(oldestFirst).map(({ orderId }) => key(orderId));

describe("changes", () => {
  it("lead from the one list to the other", () => {
    fc.assert(
      fc.property(aList, steps, (before, step) => {
        const now = after(before, step);
        const { set, gone } = changes(before, now);
        const made = new Map(before.map((order) => [key(order.orderId), order]));
        for (const id of gone) expect(made.delete(id)).toBe(true);
        for (const order of set) {
          expect(made.get(key(order.orderId))).not.toBe(order);
          made.set(key(order.orderId), order);
        }
        expect([...made.values()].sort(byNewest)).toEqual(now);
      }),
    );
  });

  it("are none for the same orders in another array", () => {
    fc.assert(fc.property(aList, (orders) => void expect(changes(orders, [...orders])).toEqual({ set: [], gone: [] })));
  });
});

describe("columns", () => {
  it("are as if grouped and sorted afresh, whatever came before", () => {
    fc.assert(
      fc.property(aList, fc.array(steps, { maxLength: 12 }), (first, steps) => {
        const columns = new Columns();
        let orders: Order[] = [];
        columns.apply(changes(orders, (orders = first)));
        for (const step of steps) {
          const before = new Map(STATUSES.map((status) => [status, columns.column(status)]));
          const copies = new Map(STATUSES.map((status) => [status, [...columns.column(status)]]));
          const told = columns.apply(changes(orders, (orders = after(orders, step))));
          for (const status of STATUSES) {
            expect(columns.column(status)).toEqual(grouped(orders, status));
            expect(before.get(status)).toEqual(copies.get(status));
            if (!told.has(status)) expect(columns.column(status)).toBe(before.get(status));
          }
          expect(columns.size).toBe(orders.length);
        }
      }),
    );
  });

  it("one of many that changes its status changes two columns, and one that stays changes none", () => {
    const orders = Array.from({ length: 100 }, (_, index) => sample({ orderId: index + 1, status: STATUSES[index % 3]! }));
    const columns = new Columns();
    columns.apply({ set: orders, gone: [] });
    expect(columns.apply({ set: [{ ...orders[0]!, note: "second bell" }], gone: [] })).toEqual(new Set());
    expect(columns.get("1")?.note).toBe("second bell");
    expect(columns.apply({ set: [{ ...orders[0]!, status: "ready" }], gone: [] })).toEqual(new Set(["received", "ready"]));
  });
});
