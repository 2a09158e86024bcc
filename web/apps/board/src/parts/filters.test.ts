import type { Order } from "@ordercast/client";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { count, EVERYTHING, fromUrl, isEverything, lets, toUrl, type Filter } from "./filters.ts";
import { order, START } from "./sample.ts";

const text = fc.string({ unit: "grapheme" });
const some = fc.string({ unit: "grapheme", minLength: 1 });
const filters: fc.Arbitrary<Filter> = fc.record({
  q: text,
  statuses: fc.uniqueArray(some),
  claimedBy: fc.option(some),
  fulfilment: fc.constantFrom("delivery" as const, "pickup" as const, null),
  late: fc.boolean(),
  shopId: fc.option(some),
  hasNoContact: fc.boolean(),
});

describe("in the URL", () => {
  it("is the same after a round trip, and leaves the rest as it was", () => {
    fc.assert(
      fc.property(filters, text, (filter, other) => {
        const rest = new URLSearchParams({ order: other, q: "old", late: "1" });
        const params = toUrl(filter, rest);
        expect(fromUrl(new URLSearchParams(params.toString()))).toEqual(filter);
        expect(params.get("order")).toBe(other);
        expect(toUrl(filter, params).toString()).toBe(params.toString());
      }),
    );
  });

  it("never keeps a token", () => {
    expect(toUrl(EVERYTHING, new URLSearchParams("token=secret&wall=")).toString()).toBe("wall=");
  });

  it("makes nothing of what it does not know", () => {
    expect(fromUrl(new URLSearchParams("fulfilment=drone&late=yes&contact=some&claimed=&status="))).toEqual(EVERYTHING);
  });

  it("counts what it asks for", () => {
    expect(isEverything(EVERYTHING)).toBe(true);
    expect(count({ ...EVERYTHING, q: "pizza" })).toBe(0);
    expect(count({ ...EVERYTHING, statuses: ["a", "b"], late: true })).toBe(2);
    expect(isEverything({ ...EVERYTHING, q: "pizza" })).toBe(false);
  });
});

describe("an order", () => {
  const passes = (filter: Partial<Filter>, over: Partial<Order>, now = START, named = false) =>
    lets({ ...EVERYTHING, ...filter }, order(over), { now, targets: { received: 60, delivered: 60 }, me: 7, isOpen: (status) => status === "received", named });

  it("is let through by each thing alone", () => {
    expect(passes({}, {})).toBe(true);
    expect([passes({ statuses: ["ready", "received"] }, {}), passes({ statuses: ["ready"] }, {})]).toEqual([true, false]);
    expect([passes({ claimedBy: "me" }, { claimedBy: 7 }), passes({ claimedBy: "me" }, { claimedBy: "ben" }), passes({ claimedBy: "me" }, {})]).toEqual([true, false, false]);
    expect([passes({ claimedBy: "nobody" }, {}), passes({ claimedBy: "nobody" }, { claimedBy: 7 })]).toEqual([true, false]);
    expect([passes({ claimedBy: "ben" }, { claimedBy: "ben" }), passes({ claimedBy: "8" }, { claimedBy: 8 })]).toEqual([true, true]);
    expect([passes({ fulfilment: "pickup" }, { fulfilment: "pickup" }), passes({ fulfilment: "pickup" }, {})]).toEqual([true, false]);
    expect([passes({ shopId: "1" }, { shopId: 1 }), passes({ shopId: "1" }, {})]).toEqual([true, false]);
    expect([passes({ hasNoContact: true }, {}), passes({ hasNoContact: true }, { firstContactAt: "2026-01-01T00:00:01.000Z" })]).toEqual([true, false]);
  });

  it("is let through by a part of its words, unless the text names another", () => {
    const asked = (q: string, named: boolean) => passes({ q }, { orderId: 84, reference: "T-7789" }, START, named);
    expect([asked("78", false), asked("78", true), asked("84", true), asked("t-7789", true)]).toEqual([true, false, true, true]);
  });

  it("is late past its target while it is open, by the time it came into its status", () => {
    expect([59, 60].map((s) => passes({ late: true }, {}, START + s * 1000))).toEqual([false, true]);
    expect(passes({ late: true }, { status: "delivered" }, START + 1e9)).toBe(false);
    expect(passes({ late: true }, { statusSince: "2026-01-01T00:00:01.000Z" }, START + 60_000)).toBe(false);
  });
});
