import { expect, it } from "vitest";
import type { Order, Workflow } from "@ordercast/client";
import { age, nextStatuses, summary } from "./orders.ts";

const order = (over: Partial<Order> = {}): Order => ({
  orderId: 17,
  customerId: 42,
  shopId: null,
  reference: null,
  fulfilment: "delivery",
  status: "received",
  statusSince: "2026-01-01T00:00:00.000Z",
  step: 1,
  version: 3,
  items: [],
  total: null,
  currency: null,
  note: null,
  contact: null,
  expectedAt: null,
  claimedBy: null,
  firstContactAt: null,
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
  ...over,
});

it("offers the steps of the order's fulfilment and the role", () => {
  const workflow: Workflow = {
    initial: "ready",
    corrections: true,
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
