import { describe, expect, it } from "vitest";
import { arrival, startingAt } from "../src/arrivals.ts";
import { delay } from "../src/backoff.ts";
import { IDLE, next, type Connection, type Happening } from "../src/connection.ts";
import { movedTo, newest } from "../src/cursor.ts";

const after = (...happenings: Happening[]): Connection => happenings.reduce(next, IDLE);
const OPEN: Happening[] = [{ type: "opening" }, { type: "connected" }, { type: "synced", at: 5 }];

describe("the connection's state", () => {
  it("is live once all has been told", () => {
    expect(after(...OPEN.slice(0, 2))).toEqual({ status: "resuming", lastSyncedAt: null });
    expect(after(...OPEN)).toEqual({ status: "live", lastSyncedAt: 5 });
  });
  it("keeps when it last was in sync", () => {
    expect(after(...OPEN, { type: "lost", heardAt: 9 })).toEqual({ status: "resuming", lastSyncedAt: 9 });
    expect(after(...OPEN, { type: "lost", heardAt: 9 }, { type: "unreachable", reason: "unreachable" })).toEqual({
      status: "offline",
      reason: "unreachable",
      retrying: true,
      lastSyncedAt: 9,
    });
  });
  it("goes on polling until the socket is in sync", () => {
    const polling = after({ type: "opening" }, { type: "polled", at: 3 }, { type: "connected" });
    expect(polling.status).toBe("polling");
    expect(next(polling, { type: "synced", at: 4 }).status).toBe("live");
  });
  it("ends from live in one step, and knows when it was last in sync", () => {
    const live = after(...OPEN, { type: "synced", at: 7 });
    const over = next(live, { type: "ended", reason: "revoked", heardAt: 9 });
    expect(over).toEqual({ status: "offline", reason: "revoked", retrying: false, lastSyncedAt: 9 });
    expect(next(over, { type: "ended", reason: "closed", heardAt: 12 }).lastSyncedAt).toBe(9);
  });
  it("stays away whatever comes late, until it is opened again", () => {
    const over = after(...OPEN, { type: "ended", reason: "revoked", heardAt: 9 });
    for (const late of [...OPEN.slice(1), { type: "polled", at: 7 }, { type: "unreachable", reason: "token" }] as Happening[]) {
      expect(next(over, late)).toBe(over);
    }
    expect(next(over, { type: "opening" }).status).toBe("resuming");
  });
});

it("takes an event once, and both events of one position", () => {
  let seen = startingAt(4);
  const comes = (name: "order:updated" | "order:changed", position: number) => {
    const now = arrival(seen, name, position);
    if (now !== null) seen = now;
    return now !== null;
  };
  expect(comes("order:updated", 5)).toBe(true);
  expect(comes("order:changed", 5)).toBe(true);
  expect(comes("order:updated", 5)).toBe(false);
  expect(comes("order:updated", 6)).toBe(true);
  expect(comes("order:changed", 5)).toBe(false);
});

it("compares cursors of one log by position, and takes another log for the newer one", () => {
  expect(newest("a.10", "a.9")).toBe("a.10");
  expect(newest("a.9", "a.10")).toBe("a.10");
  expect(newest("a.10", "b.2")).toBe("b.2");
  expect(newest(null, "a.1")).toBe("a.1");
  expect(movedTo("lo.g.3", 8)).toBe("lo.g.8");
  expect(movedTo(null, 8)).toBeNull();
});

it("waits longer each time, up to a limit, and never the same as others", () => {
  const backoff = { first: 100, longest: 1_000 };
  expect([1, 2, 3, 4, 9].map((n) => delay(backoff, n, 1))).toEqual([100, 200, 400, 800, 1_000]);
  expect(delay(backoff, 9, 0)).toBe(500);
});
