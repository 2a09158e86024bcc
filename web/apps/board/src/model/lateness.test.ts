/** Who is late, and since when. */

import { expect, it } from "vitest";
import { order, START } from "../parts/sample.ts";
import { Lateness } from "./lateness.ts";

const TARGETS = { received: 60, ready: 600 };

it("counts late orders by column and in all", () => {
  const orders = [order({ orderId: 1 }), order({ orderId: 2 }), order({ orderId: 3, status: "ready" }), order({ orderId: 4, status: "accepted" })];
  const lateness = new Lateness({ visible: () => orders.values() }, TARGETS); // the clock is years past all of them
  expect([lateness.in("received"), lateness.in("ready"), lateness.in("accepted"), lateness.all()]).toEqual([2, 1, 0, 3]);
});

it("says since when an order is late: the sooner of its status' target and of when it was expected", () => {
  const lateness = new Lateness({ visible: () => [].values() }, TARGETS);
  expect(lateness.at(order())).toBe(START + 60_000);
  expect(lateness.at(order({ expectedAt: new Date(START + 30_000).toISOString() }))).toBe(START + 30_000);
  expect(lateness.at(order({ status: "accepted" }))).toBe(Infinity);
});
