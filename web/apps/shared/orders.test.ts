import { expect, it } from "vitest";
import { order } from "../../packages/client/test/orders.ts";
import { summary } from "./orders.ts";

it("sums up items", () => {
  expect(summary(order({ items: [{ name: "Pizza", quantity: 2 }, { name: "Cola" }] }))).toBe("2 × Pizza, Cola");
  const items = [{ name: "Käse", quantity: 0.5 }, { name: "Cola", quantity: 1 }, { quantity: "3" }, { name: null, quantity: null }, { name: { of: "it" } }];
  expect(summary(order({ items }))).toBe("0.5 × Käse, Cola, 3 × ?, ?, ?");
});
