import { describe, expect, it } from "vitest";
import { age, merge, newer, nextStatuses, summary, type Order, type Workflow } from "./orders.ts";

const order = (over: Partial<Order> = {}): Order => ({
  orderId: 17,
  customerId: 42,
  shopId: null,
  reference: null,
  fulfilment: "delivery",
  status: "received",
  step: 1,
  version: 3,
  items: [],
  total: null,
  currency: null,
  note: null,
  contact: null,
  expectedAt: null,
  firstContactAt: null,
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
  ...over,
});
const status = (version: number, to = "accepted") => ({
  orderId: 17,
  status: to,
  updatedAt: "2026-01-01T00:01:00.000Z",
  version,
  position: version,
});

describe("merge", () => {
  it("applies the next version", () => {
    const merged = merge(order(), status(4));
    expect(merged.missing).toBe(false);
    expect(merged.order).toMatchObject({ status: "accepted", version: 4, updatedAt: "2026-01-01T00:01:00.000Z" });
  });
  it("ignores an older version", () => {
    expect(merge(order({ status: "ready" }), status(2)).order).toMatchObject({ status: "ready", version: 3 });
  });
  it("takes a status and other changes of one version, in either order", () => {
    const changed = { orderId: 17, changes: { note: "ring twice" }, version: 4, position: 9 };
    for (const events of [[status(4), changed], [changed, status(4)]]) {
      let shown: Order | undefined = order();
      for (const event of events) shown = merge(shown, event).order;
      expect(shown).toMatchObject({ status: "accepted", note: "ring twice", version: 4 });
    }
  });
  it("says when something is missing: a gap, or an order it does not know", () => {
    expect(merge(order(), status(6)).missing).toBe(true);
    expect(merge(undefined, status(4))).toEqual({ order: undefined, missing: true });
  });
  it("does not change the order it was given", () => {
    const before = Object.freeze(order());
    merge(before, status(4));
    expect(before.status).toBe("received");
  });
});

describe("newer", () => {
  it("keeps what is ahead", () => {
    expect(newer(order({ version: 5 }), order({ version: 4 })).version).toBe(5);
    expect(newer(order({ version: 4 }), order({ version: 5 })).version).toBe(5);
    expect(newer(undefined, order()).version).toBe(3);
  });
});

it("offers the steps of the order's fulfilment and the role", () => {
  const workflow: Workflow = {
    initial: "ready",
    statuses: [],
    transitions: [
      { from: "ready", to: "out_for_delivery", roles: ["operator"], fulfilment: "delivery" },
      { from: "ready", to: "collected", roles: ["operator"], fulfilment: "pickup" },
      { from: "ready", to: "cancelled", roles: ["admin"], fulfilment: null },
      { from: "received", to: "accepted", roles: ["operator"], fulfilment: null },
    ],
  };
  expect(nextStatuses(workflow, order({ status: "ready" }), "operator")).toEqual(["out_for_delivery"]);
  expect(nextStatuses(workflow, order({ status: "ready", fulfilment: "pickup" }), "admin")).toEqual(["cancelled"]);
});

it("sums up items and ages", () => {
  expect(summary(order({ items: [{ name: "Pizza", quantity: 2 }, { name: "Cola" }] }))).toBe("2 × Pizza, Cola");
  const at = Date.parse("2026-01-01T00:00:00.000Z");
  expect([5, 65, 7300].map((s) => age("2026-01-01T00:00:00.000Z", at + s * 1000))).toEqual(["5 s", "1 min", "2 h"]);
});
