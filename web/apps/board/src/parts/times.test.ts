import { expect, it } from "vitest";
import { clock, exactSpan, fromField, span, toField } from "./times.ts";

it("says spans in few characters", () => {
  expect([-3, 0, 59.9, 60, 3599, 3600, 7500, 86_400, 90_000].map(span)).toEqual(["0 s", "0 s", "59 s", "1 min", "59 min", "1 h", "2 h 5 min", "1 d", "1 d 1 h"]);
  expect([4.4, 6.9, 59.6, 245, 3600].map(exactSpan)).toEqual(["4 s", "6 s", "59 s", "4 min 5 s", "1 h"]);
});

it("names the day of a time where it is another", () => {
  const noon = Date.parse("2026-01-02T12:00:00.000Z");
  expect(clock(noon, noon, "UTC")).not.toMatch(/Jan/);
  expect(clock(noon - 86_400_000, noon, "UTC")).toMatch(/Jan/);
});

it("gives a field what it takes, and takes what it gives", () => {
  expect(fromField(toField("2026-07-02T12:34:00.000Z"))).toBe("2026-07-02T12:34:00.000Z");
  expect(toField(null)).toBe("");
  expect(fromField("")).toBeNull();
});
