import { expect, it } from "vitest";
import type { Order } from "@ordercast/client";
import { summary } from "./orders.ts";

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

it("sums up items", () => {
  expect(summary(order({ items: [{ name: "Pizza", quantity: 2 }, { name: "Cola" }] }))).toBe("2 × Pizza, Cola");
});
