import { expect, it } from "vitest";
import { order } from "../../packages/client/test/orders.ts";
import { summary } from "./orders.ts";

it("sums up items", () => {
  expect(summary(order({ items: [{ name: "Pizza", quantity: 2 }, { name: "Cola" }] }))).toBe("2 × Pizza, Cola");
});
