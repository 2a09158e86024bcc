import { expect, it } from "vitest";
import { byStatus, milliseconds, seconds, shares, spread } from "./figures.ts";
import { STATS, WORKFLOW } from "./sample.ts";

it("says times in few characters", () => {
  expect([null, 0, 85.4, 999.4, 999.6, 1234, 9_960, 75_000].map(milliseconds)).toEqual(["–", "0 ms", "85 ms", "999 ms", "1.0 s", "1.2 s", "10 s", "1 min 15 s"]);
  expect([null, 80, 3600].map(seconds)).toEqual(["–", "1 min 20 s", "1 h"]);
});

it("has a row for each status, whether anything is known of it or not", () => {
  const rows = byStatus(STATS, WORKFLOW);
  expect(rows.map(({ label, orders, median }) => [label, orders, median])).toEqual([
    ["Received", 3, "40 s"],
    ["Preparing", 1, "–"],
    ["Ready", 0, "–"],
    ["Delivered", 12, "–"],
    ["Cancelled", 0, "–"],
  ]);
  expect(shares(rows)).toEqual([
    { label: "Received", from: 0, width: 75 },
    { label: "Preparing", from: 75, width: 25 },
  ]);
  expect(shares([])).toEqual([]);
});

it("says nothing of nothing", () => {
  expect(spread({ count: 0, median: null, p90: null, waiting: 2 })).toBe("nothing yet");
  expect(spread(STATS.firstContact)).toBe("half within 1 min 5 s, 9 of 10 within 4 min");
});
