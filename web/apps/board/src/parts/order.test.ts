import type { HistoryEntry } from "@ordercast/client";
import { describe, expect, it } from "vitest";
import { begin, conflicts, edit, edited, follow, patch, settle } from "./draft.ts";
import { contact, lines, money } from "./orderText.ts";
import { order, START, WORKFLOW } from "./sample.ts";
import { lastChangedBy, moments } from "./timeline.ts";
import { fromField } from "./times.ts";

const event = (version: number, seconds: number, over: Partial<HistoryEntry>): HistoryEntry => ({
  position: version,
  orderId: 17,
  version,
  kind: "changed",
  status: "received",
  previousStatus: null,
  changed: [],
  at: new Date(START + seconds * 1000).toISOString(),
  ...over,
});

describe("a timeline", () => {
  const events = [
    event(5, 100, { kind: "status_changed", status: "received", previousStatus: "preparing", reason: "by mistake", updatedBy: "ana" }),
    event(1, 0, { kind: "created" }),
    event(2, 10, { kind: "claimed", changed: ["claimedBy"], updatedBy: "ana" }),
    event(3, 20, { changed: ["note", "whatever"], updatedBy: 7 }),
    event(4, 65, { kind: "status_changed", status: "preparing", previousStatus: "received", changed: ["expectedAt"], forced: true }),
    event(6, 130, { kind: "status_changed", status: "gone", previousStatus: "received" }),
  ];

  it("says what happened, by whom and why, and how long each status took", () => {
    expect(moments(events, WORKFLOW).map(({ text, by, reason, forced, before }) => [text, by, reason, forced, before])).toEqual([
      ["Created: Received", null, null, false, null],
      ["Claimed", "ana", null, false, null],
      ["Changed: note, whatever", 7, null, false, null],
      ["Preparing; changed: promised time", null, null, true, { label: "Received", seconds: 65 }],
      ["Received", "ana", "by mistake", false, { label: "Preparing", seconds: 35 }],
      ["gone", null, null, false, { label: "Received", seconds: 30 }],
    ]);
    expect([lastChangedBy(events, "note"), lastChangedBy(events, "contact")]).toEqual([7, null]);
  });

  it("guesses no times where the beginning is not kept", () => {
    expect(moments(events.slice(4, 5), WORKFLOW)[0]!.before).toBeNull();
  });
});

describe("a draft", () => {
  const at = (minute: string) => fromField(`2026-01-01T12:${minute}`)!;
  const before = order({ note: "ring twice", expectedAt: at("00") });

  it("follows the order where nobody types", () => {
    const draft = follow(edit(begin(before), "note", "ring thrice"), order({ note: "ring twice", expectedAt: at("30") }));
    expect(draft.now).toEqual({ note: "ring thrice", expectedAt: "2026-01-01T12:30" });
    expect([edited(draft), patch(draft)]).toEqual([["note"], { note: "ring thrice" }]);
    expect(follow(draft, order({ note: "ring twice", expectedAt: at("30") }))).toBe(draft);
  });

  it("sees what both have changed, and settles it either way", () => {
    const theirs = order({ note: "no bell", expectedAt: at("00") });
    const draft = follow(edit(begin(before), "note", "ring thrice"), theirs);
    expect([conflicts(draft, theirs), draft.now.note]).toEqual([["note"], "ring thrice"]);
    const mine = settle(draft, theirs, "note", true);
    expect([conflicts(mine, theirs), patch(mine)]).toEqual([[], { note: "ring thrice" }]);
    expect(edited(settle(draft, theirs, "note", false))).toEqual([]);
  });

  it("agrees where both say the same", () => {
    const theirs = order({ note: "ring thrice", expectedAt: at("00") });
    const draft = follow(edit(begin(before), "note", "ring thrice"), theirs);
    expect([conflicts(draft, theirs), edited(draft)]).toEqual([[], []]);
  });

  it("clears with nothing, and changes nothing by seconds that a field does not show", () => {
    const draft = begin(order({ note: "x", expectedAt: "2026-01-01T12:00:34.567Z" }));
    expect(patch(draft)).toEqual({});
    expect(patch(edit(edit(draft, "note", "  "), "expectedAt", ""))).toEqual({ note: null, expectedAt: null });
  });
});

describe("the shop's own words", () => {
  it("are read whatever they are", () => {
    expect(lines(order({ items: [{ name: "Pizza", quantity: 2, price: 8.5, size: "L", extras: ["olives", 2], id: 5 }, "Cola", { quantity: 1 }, null] }))).toEqual([
      { quantity: "2 ×", name: "Pizza", more: ["size: L", "extras: olives, 2"], price: 17 },
      { quantity: "", name: "Cola", more: [], price: null },
      { quantity: "", name: "?", more: [], price: null },
      { quantity: "", name: "null", more: [], price: null },
    ]);
    expect(contact(order({ contact: { phone: 49171, address: { street: "Main St 1", city: "Rome" }, vip: true, name: "" } }))).toEqual({ name: null, phone: "49171", more: ["address: Main St 1, Rome"] });
    expect(contact(order())).toEqual({ name: null, phone: null, more: [] });
  });

  it("have their money in any currency", () => {
    expect(money(12.5, "EUR")).toMatch(/12.50/);
    expect([money(12.5, null), money(1, "no")]).toEqual(["12.50", "1.00 no"]);
  });
});
