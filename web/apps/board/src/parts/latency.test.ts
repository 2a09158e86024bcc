import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LAST, Latencies, percentiles, ServerClock } from "./latency.ts";

describe("the server's clock", () => {
  const delay = fc.integer({ min: 1, max: 400 });
  const trip = fc.record({ there: delay, back: delay, pause: fc.integer({ min: 0, max: 9000 }) });

  it("is told within its error, by answers of its own and what comes by itself", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e6, max: 1e6 }), fc.array(trip, { minLength: 1, maxLength: 30 }), (ahead, trips) => {
        const clock = new ServerClock();
        let now = 1e12;
        for (const { there, back, pause } of trips) {
          now += pause;
          clock.sample(now, now + there + ahead, now + there + back);
          now += there + back;
          clock.hear(now + ahead, now + back);
          const { offset, error } = clock.offset!;
          expect(Math.abs(offset - ahead)).toBeLessThanOrEqual(error);
          expect(error).toBeLessThanOrEqual(400);
        }
      }),
    );
  });

  it("prefers the fresh answers to those made for others before", () => {
    const clock = new ServerClock();
    clock.sample(0, 1000 + 5 - 900, 10); // 900 ms old
    clock.sample(5000, 5000 + 1000 + 5, 5010);
    clock.sample(10_000, 10_000 + 1000 + 5 - 400, 10_010);
    expect(clock.offset).toEqual({ offset: 1000, error: 5 });
  });

  it("knows from what it hears that all answers were old, and says how unsure it is", () => {
    const clock = new ServerClock();
    clock.sample(0, 1000 + 5 - 900, 10);
    clock.hear(2000 + 1000, 2003);
    const { offset, error } = clock.offset!;
    expect(Math.abs(offset - 1000)).toBeLessThanOrEqual(error);
  });

  it("forgets what it knew where a clock was set, or long ago", () => {
    const clock = new ServerClock();
    clock.sample(0, 60_005, 10);
    clock.hear(60_100, 105);
    clock.sample(1000, 1005, 1010);
    expect(clock.offset).toEqual({ offset: 0, error: 5 });
    clock.sample(1_000_000, 1_000_100 - 50, 1_000_200);
    expect(clock.offset).toEqual({ offset: -50, error: 100 });
    expect(new ServerClock().offset).toBeNull();
  });
});

describe("figures", () => {
  it("are nearest ranks", () => {
    expect(percentiles([])).toEqual({ count: 0, median: null, p90: null });
    expect(percentiles([5])).toEqual({ count: 1, median: 5, p90: 5 });
    expect(percentiles([10, 1, 9, 2, 8, 3, 7, 4, 6, 5])).toEqual({ count: 10, median: 5, p90: 9 });
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const { median, p90 } = percentiles(values);
        for (const [rank, part] of [[median!, 0.5], [p90!, 0.9]] as const) {
          expect(values.filter((v) => v <= rank).length).toBeGreaterThanOrEqual(part * values.length);
          expect(values.filter((v) => v < rank).length).toBeLessThan(part * values.length);
        }
      }),
    );
  });

  it("are of the last changes, by the clock as it is known now, and never below nothing", () => {
    const latencies = new Latencies();
    for (let i = 0; i < LAST; i += 1) latencies.add(1000, 9000);
    for (let i = 0; i < LAST; i += 1) latencies.add(1000, 2080);
    expect(latencies.figures(-1000)).toEqual({ count: LAST, median: 80, p90: 80 });
    expect(latencies.figures(-2000).median).toBe(0);
  });
});
