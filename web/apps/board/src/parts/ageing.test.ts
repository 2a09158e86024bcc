import fc from "fast-check";
import { expect, it } from "vitest";
import { level, levelIn, nextChange, promise, stay } from "./ageing.ts";
import { order, START } from "./sample.ts";

const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();

it("ages against the target of its status", () => {
  const levels = [0, 69.999, 70, 99.999, 100, 9999].map((s) => level(order(), { received: 100 }, START + s * 1000));
  expect(levels).toEqual(["fresh", "fresh", "due", "due", "late", "late"]);
  expect(level(order({ status: "ready" }), { received: 100 }, START + 1e9)).toBe("none");
  expect(level(order(), { received: null }, START + 1e9)).toBe("none");
});

it("ages against when it is expected, from its creation on, and is as bad as the worse of both", () => {
  const expected = order({ expectedAt: at(1000), statusSince: at(600), updatedAt: at(650) });
  const levels = [699, 700, 999, 1000].map((s) => level(expected, {}, START + s * 1000));
  expect(levels).toEqual(["fresh", "due", "due", "late"]);
  expect(level(expected, { received: 60 }, START + 660_000)).toBe("late");
  expect(level(order({ expectedAt: at(-1) }), { received: 600 }, START)).toBe("late"); // expected before it was made
});

it("tells a step that takes too long from a promise that is not kept", () => {
  const expected = order({ expectedAt: at(1000), statusSince: at(900) });
  const levels = (s: number) => [stay(expected, { received: 60 }), promise(expected)].map((span) => levelIn(span, START + s * 1000));
  expect([levels(901), levels(959), levels(960), levels(1000)]).toEqual([["fresh", "due"], ["due", "due"], ["late", "due"], ["late", "late"]]);
  expect([stay(expected, {}), promise(order())]).toEqual([undefined, undefined]);
  expect(levelIn(undefined, START)).toBe("none");
});

it("says when it next changes, and nothing changes before", () => {
  const seconds = fc.integer({ min: 1, max: 5000 });
  fc.assert(
    fc.property(fc.option(seconds), fc.option(seconds), fc.integer({ min: 0, max: 6000 }), fc.double({ min: 0, max: 1, noNaN: true }), (target, expected, now, part) => {
      const given = order({ expectedAt: expected === null ? null : at(expected) });
      const moment = START + now * 1000;
      const change = nextChange(given, { received: target }, moment);
      const is = level(given, { received: target }, moment);
      const end = change ?? START + 1e9;
      expect(level(given, { received: target }, moment + Math.floor((end - 1 - moment) * part))).toBe(is);
      if (change !== null) expect(level(given, { received: target }, change)).not.toBe(is);
    }),
  );
});
