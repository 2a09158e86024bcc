import { expect, it } from "vitest";
import type { Connection, Order } from "@ordercast/client";
import { age, arrived, Clock, connectionWords, expected, filledIn, icon, problem, progress, statusOf, steps, type State } from "./view.ts";

const AT = "2026-01-01T12:00:00.000Z";
const NOW = Date.parse(AT);

function state(over: Partial<Order> = {}, reached: Record<string, string> = { 1: AT }): State {
  const order = { orderId: 17, status: "received", version: 1, expectedAt: null, createdAt: AT, updatedAt: AT, items: [], ...over };
  const status = (label: string, step: number, category: "open" | "done" | "aborted") => ({ label, more: "", step, category });
  return {
    order: order as unknown as Order,
    reached,
    statuses: {
      received: status("Received", 1, "open"),
      accepted: status("Accepted", 2, "open"),
      preparing: status("Preparing", 2, "open"),
      ready: status("Ready", 3, "open"),
      on_its_way: status("On its way", 3, "open"),
      delivered: status("Delivered", 4, "done"),
      cancelled: status("Cancelled", 0, "aborted"),
      on_hold: status("On hold", 0, "open"),
    },
    steps: [[1, "One"], [2, "Two"], [3, "Three"], [4, "Four"]],
    lang: "en",
    words: {
      expected: "around {time}",
      expected_pickup: "ready {time}",
      in_minutes: "in {minutes}",
      soon: "soon",
      late: "was {time}",
      fresh: "up to date",
      as_of: "as of {time}",
      expired_title: "Expired",
      expired: "Ask.",
      unknown_title: "Unknown",
      unknown: "Look.",
      connection: { live: "Live", resuming: "…", polling: "Slow", offline: "Offline", unreachable: "Away", ended: "Over" },
    } as State["words"],
  };
}

const kinds = (of: State) => steps(of).map(({ kind }) => kind);

it("shows how far an order has come", () => {
  expect(kinds(state())).toEqual(["current", "", "", ""]);
  expect(kinds(state({ status: "on_its_way" }))).toEqual(["past", "past", "current", ""]);
  expect(kinds(state({ status: "delivered" }))).toEqual(["past", "past", "past", "past"]);
  expect(kinds(state({ status: "cancelled" }, { 1: AT, 2: AT }))).toEqual(["past", "stopped", "", ""]);
  expect(statusOf(state(), "of a newer server").label).toBe("of a newer server");
  expect([state(), state({ status: "delivered" }), state({ status: "cancelled" }, { 1: AT, 2: AT })].map(progress)).toEqual([1, 4, 2]);
});

it("calls the step at which the order stands as its status is called", () => {
  const names = (status: string, reached = { 1: AT, 2: AT, 3: AT }) => steps(state({ status }, reached)).map(({ name }) => name);
  expect(names("accepted")).toEqual(["One", "Accepted", "Three", "Four"]);
  expect(names("ready")).toEqual(["One", "Two", "Ready", "Four"]);
  expect(names("delivered"), "past").toEqual(["One", "Two", "Three", "Four"]);
  expect(names("on_hold", { 1: AT, 2: AT, 3: AT }), "which is off the steps").toEqual(["One", "Two", "Three", "Four"]);
});

it("knows since when the order is at each step, and takes the history's times where something was missed", () => {
  const one = state();
  arrived(one, { status: "ready", at: "3" });
  expect(one.reached).toEqual({ 1: AT, 2: "3", 3: "3" });
  arrived(one, { status: "on_its_way", at: "4" });
  expect(one.reached, "a step of two statuses").toEqual({ 1: AT, 2: "3", 3: "4" });
  arrived(one, { status: "cancelled", at: "5" });
  arrived(one, { status: "preparing", at: "6" });
  expect(one.reached, "a step back").toEqual({ 1: AT, 2: "6" });
  filledIn(one, [
    { status: "received", at: "1" },
    { status: "accepted", at: "2" },
    { status: "accepted", at: "3" }, // when something else changed
    { status: "ready", at: "4" },
  ]);
  expect(one.reached).toEqual({ 1: AT, 2: "2", 3: "4" });
  filledIn(one, [{ status: "on_its_way", at: "5" }]);
  expect(one.reached, "the log's beginning is gone").toEqual({ 1: AT, 2: "2", 3: "5" });
});

it("writes times as the reader does", () => {
  const clock = (lang: string, ...tags: string[]) => new Clock(lang, tags, "Europe/Berlin");
  expect(clock("en", "fr", "en-GB").locale).toBe("en-GB");
  expect(clock("de", "fr", "en-GB").locale).toBe("de");
  expect(clock("de").say(AT, NOW)).toBe("13:00");
  expect(clock("en", "en-US").say(AT, NOW).replace(/\s/g, " ")).toBe("1:00 PM");
  expect(clock("en", "en-GB").say(AT, NOW + 86_400_000)).toMatch(/^Thu,? 1 Jan, 13:00$/);
  expect(clock("en").money(14.5, "EUR")).toBe("€14.50");
  expect(clock("de").money(14.5, "EUR").replace(/\s/g, " ")).toBe("14,50 €");
  expect(clock("en").money(14.5, "no currency")).toBe("14.50 no currency");
  expect(clock("en").money(14.5, null)).toBe("14.50");
});

it("says when an order is expected, in how long, that it is late, and nothing once there is nothing to wait for", () => {
  const clock = new Clock("de", [], "UTC");
  const at = (over: Partial<Order>, minutes: number) => expected(state({ expectedAt: AT, ...over }), clock, NOW - minutes * 60_000);
  expect(at({}, 25)).toEqual({ kind: "ahead", words: "around 12:00", left: "in 25" });
  expect(at({}, -0.01)).toEqual({ kind: "late", words: "was 12:00", left: "" });
  expect([91, 90, 33, 17.4, 14.6, 9.4, 1, 0.9, 0].map((minutes) => at({}, minutes).left)).toEqual(["", "in 90", "in 35", "in 15", "in 15", "in 9", "in 1", "soon", "soon"]);
  const nothing = { kind: "", words: "", left: "" };
  expect(at({ status: "delivered" }, 5)).toEqual(nothing);
  expect(expected(state(), clock, NOW)).toEqual(nothing);
  expect(at({ status: "preparing", fulfilment: "pickup" }, 5).words).toBe("ready 12:00");
  expect(at({ status: "ready", fulfilment: "pickup" }, -5), "it waits to be collected").toEqual(nothing);
  expect(at({ status: "ready", fulfilment: "delivery" }, -5).kind).toBe("late");
});

it("draws the tab's icon", () => {
  const drawn = (...of: Parameters<typeof icon>) => decodeURIComponent(icon(...of));
  expect(icon(2, 4, "open")).toMatch(/^data:image\/svg\+xml,%3Csvg/);
  expect(drawn(2, 4, "open")).toContain('pathLength="4" stroke-dasharray="2 4"');
  expect(drawn(4, 4, "done")).not.toBe(drawn(2, 4, "aborted"));
});

it("says how live it is, and how old", () => {
  const offline = (reason: string, retrying: boolean) => ({ status: "offline", reason, retrying, lastSyncedAt: null }) as Connection;
  const live = { status: "live", lastSyncedAt: NOW } as Connection;
  expect(connectionWords(state(), live, true)).toEqual({ name: "live", words: "Live" });
  expect(connectionWords(state(), offline("unreachable", true), true)).toEqual({ name: "offline", words: "Away" });
  expect(connectionWords(state(), offline("unreachable", true), false)).toEqual({ name: "offline", words: "Offline" });
  expect(connectionWords(state(), offline("token_expired", false), true)).toEqual({ name: "ended", words: "Over" });
  expect(problem(state(), offline("token_expired", false), undefined)).toEqual(["Expired", "Ask."]);
  expect(problem(state(), live, 404)).toEqual(["Unknown", "Look."]);
  expect(problem(state(), offline("unreachable", true), undefined)).toEqual([]);
  const clock = new Clock("en-GB", [], "UTC");
  expect(age(state(), clock, "live", NOW, NOW + 59_000)).toBe("up to date");
  expect(age(state(), clock, "offline", NOW, NOW + 59_000)).toBe("as of 12:00");
  expect(age(state(), clock, "live", NOW, NOW + 120_000)).toBe("as of 12:00");
});
