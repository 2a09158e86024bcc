import fc from "fast-check";
import { expect, it } from "vitest";
import { beginShift, look, waiting } from "./announcer.ts";
import { order } from "./sample.ts";

it("waits while it is new and nobody's", () => {
  const orders = [order({ orderId: 1 }), order({ orderId: 2, claimedBy: "ben" }), order({ orderId: 3, status: "ready" })];
  expect(waiting(orders, "received").map(({ orderId }) => orderId)).toEqual([1]);
});

it("rings for what comes, not for what was there, and again for what comes back", () => {
  const [a, b] = [order({ orderId: 1 }), order({ orderId: "b" })];
  let { shift, fresh } = look(beginShift([a]), [a]);
  expect([fresh, shift.ringing.size]).toEqual([[], 0]);
  ({ shift, fresh } = look(shift, [b, a]));
  expect([fresh, [...shift.ringing]]).toEqual([[b], ["b"]]);
  ({ shift, fresh } = look(shift, [b, a]));
  expect([fresh, [...shift.ringing]]).toEqual([[], ["b"]]);
  ({ shift, fresh } = look(shift, []));
  expect([fresh, shift.ringing.size]).toEqual([[], 0]);
  ({ shift, fresh } = look(shift, [a]));
  expect([fresh, [...shift.ringing]]).toEqual([[a], ["1"]]);
});

it("tells each coming once, however orders come and go", () => {
  fc.assert(
    fc.property(fc.array(fc.uniqueArray(fc.nat(5))), (steps) => {
      let shift = beginShift([]);
      let before = new Set<number>();
      for (const step of steps) {
        const seen = look(shift, step.map((orderId) => order({ orderId })));
        expect(seen.fresh.map(({ orderId }) => orderId)).toEqual(step.filter((id) => !before.has(id)));
        expect(seen.shift.ringing.size).toBe(step.length);
        ({ shift } = seen);
        before = new Set(step);
      }
    }),
  );
});
