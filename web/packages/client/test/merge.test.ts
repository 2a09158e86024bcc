import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OrderChanged, OrderUpdated } from "../src/events.ts";
import { isComplete, NOTHING, toOrder, withEvent, withGlimpse, withSnapshot, type Known } from "../src/merge.ts";
import type { Order } from "../src/models.ts";
import { order } from "./orders.ts";

/** One thing that a client may hear, and the version it tells of. */
interface Piece {
  version: number;
  kind: "snapshot" | "event" | "glimpse";
  into: (known: Known) => Known;
}

interface Life {
  states: Order[]; // states[v - 1]: the order at version v, as REST gives it
  events: Piece[][]; // events[v - 2]: what announced version v
  others: Piece[]; // snapshots and glimpses of every version
}

const STEPS: Record<string, number> = { received: 1, accepted: 2, ready: 3, delivered: 4 };
const stepOf = (status: string) => STEPS[status];

const change = fc
  .record({
    status: fc.option(fc.constantFrom(...Object.keys(STEPS)), { nil: undefined }),
    note: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
    claimedBy: fc.option(fc.nat(3), { nil: undefined }),
  })
  .filter((c) => Object.values(c).some((value) => value !== undefined));

/** What a server does with an order: each change is a version, announced by one event or by two. */
const life: fc.Arbitrary<Life> = fc.array(change, { maxLength: 8 }).map((changes) => {
  const states = [order({ version: 1 })];
  const events: Piece[][] = [];
  changes.forEach(({ status, ...rest }, i) => {
    const version = i + 2;
    const fields = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as Partial<Order>;
    const updatedAt = `2026-01-01T00:00:0${version}.000Z`;
    const before = states[i]!;
    const moved = status === undefined ? {} : { status, statusSince: updatedAt, step: STEPS[status]!, updatedAt };
    states.push({ ...before, ...moved, ...fields, version });
    const told: Piece[] = [];
    if (status !== undefined) {
      const event: OrderUpdated = { orderId: 17, status, updatedAt, version, position: version };
      told.push({ version, kind: "event", into: (known) => withEvent(known, event) });
    }
    if (Object.keys(fields).length > 0) {
      const event: OrderChanged = { orderId: 17, changes: fields, version, position: version };
      told.push({ version, kind: "event", into: (known) => withEvent(known, event) });
    }
    events.push(told);
  });
  const others = states.flatMap((state): Piece[] => [
    { version: state.version, kind: "snapshot", into: (known) => withSnapshot(known, state) },
    { version: state.version, kind: "glimpse", into: (known) => withGlimpse(known, state) },
  ]);
  return { states, events, others };
});

const all = (pieces: readonly Piece[]): Known => pieces.reduce((known, piece) => piece.into(known), NOTHING);

/** Some of what could be heard, some of it more than once, in any order. The two events of a version come together. */
const hearing = life.chain((of) => {
  const groups = [...of.events, ...of.others.map((piece) => [piece])];
  return fc
    .tuple(fc.subarray(groups), fc.subarray(groups))
    .map((some) => some.flat(2))
    .chain((pieces) => fc.record({ of: fc.constant(of), heard: shuffled(pieces), again: shuffled(pieces) }));
});

const shuffled = <T>(items: readonly T[]): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length });

describe("whatever comes, in whatever order, however often", () => {
  it("ends in the same state", () => {
    fc.assert(fc.property(hearing, ({ heard, again }) => void expect(all(again)).toEqual(all(heard))));
  });

  it("changes nothing when it comes once more", () => {
    fc.assert(
      fc.property(hearing, ({ heard }) => {
        const known = all(heard);
        expect(heard.reduce((now, piece) => piece.into(now), known)).toEqual(known);
      }),
    );
  });

  it("never goes back to an older version, in any field", () => {
    fc.assert(
      fc.property(hearing, ({ heard }) => {
        let known = NOTHING;
        for (const piece of heard) {
          const now = piece.into(known);
          expect(now.version).toBe(Math.max(known.version, piece.version));
          expect(now.whole).toBeGreaterThanOrEqual(known.whole);
          for (const [name, version] of Object.entries(known.of)) expect(now.of[name]).toBeGreaterThanOrEqual(version);
          known = now;
        }
      }),
    );
  });

  it("is the server's own state where it says that it is whole, and says so where it can be", () => {
    let whole = 0;
    fc.assert(
      fc.property(hearing, ({ of, heard }) => {
        const known = all(heard);
        const newest = Math.max(0, ...heard.map((piece) => piece.version));
        if (isComplete(known)) {
          whole += 1;
          expect(toOrder(known, stepOf)).toEqual(of.states[newest - 1]);
        }
        const base = Math.max(0, ...heard.filter(({ kind }) => kind === "snapshot").map(({ version }) => version));
        const told = new Set(heard.filter(({ kind }) => kind === "event").map(({ version }) => version));
        let reach = base;
        while (base > 0 && told.has(reach + 1)) reach += 1;
        expect(isComplete(known)).toBe(base > 0 && reach >= newest);
      }),
      { numRuns: 500 },
    );
    expect(whole).toBeGreaterThan(50);
  });

  it("is whole after a snapshot of the newest version, whatever was missed", () => {
    fc.assert(
      fc.property(hearing, ({ of, heard }) => {
        const newest = of.states.at(-1)!;
        const known = withSnapshot(all(heard), newest);
        expect(isComplete(known)).toBe(true);
        expect(toOrder(known, stepOf)).toEqual(newest);
      }),
    );
  });
});

describe("one by one", () => {
  const snapshot = withSnapshot(NOTHING, order({ version: 3 }));
  const status = (version: number): OrderUpdated => ({
    orderId: 17,
    status: "accepted",
    updatedAt: "2026-01-01T00:01:00.000Z",
    version,
    position: version,
  });

  it("shows a status that came after a gap, and knows that something is missing", () => {
    const known = withEvent(snapshot, status(5));
    expect(toOrder(known)).toMatchObject({ status: "accepted", version: 5 });
    expect(isComplete(known)).toBe(false);
    expect(isComplete(withEvent(known, { orderId: 17, changes: { note: "ring" }, version: 4, position: 4 }))).toBe(true);
  });

  it("has no order before a snapshot, and none of a glimpse alone", () => {
    expect(toOrder(withEvent(NOTHING, status(1)))).toBeUndefined();
    expect(toOrder(withGlimpse(NOTHING, status(1)))).toBeUndefined();
    expect(isComplete(withEvent(NOTHING, status(1)))).toBe(false);
  });

  it("does not take a glimpse for all of its version", () => {
    expect(isComplete(withGlimpse(snapshot, status(4)))).toBe(false);
  });

  it("keeps the position out of an order that was announced", () => {
    expect(toOrder(withSnapshot(NOTHING, { ...order(), position: 9 } as Order))).not.toHaveProperty("position");
  });

  it("does not change what it was given", () => {
    const before = JSON.parse(JSON.stringify(snapshot)) as Known;
    withEvent(snapshot, status(4));
    expect(snapshot).toEqual(before);
  });
});
