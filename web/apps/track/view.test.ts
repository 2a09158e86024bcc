import { expect, it } from "vitest";
import type { Connection, Order } from "@ordercast/client";
import { age, arrived, Clock, connectionWords, expected, filledIn, problem, statusOf, steps, type State } from "./view.ts";

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
      preparing: status("Preparing", 2, "open"),
      on_its_way: status("On its way", 3, "open"),
      delivered: status("Delivered", 4, "done"),
      cancelled: status("Cancelled", 0, "aborted"),
    },
    steps: [[1, "One"], [2, "Two"], [3, "Three"], [4, "Four"]],
    lang: "en",
    words: {
      expected: "around {time}",
      late: "was {time}",
      fresh: "up to date",
      as_of: "as of {age}",
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
});

it("keeps the first time of each step, and takes the history's where something was missed", () => {
  const one = state();
  arrived(one, { status: "on_its_way", at: "3" });
  arrived(one, { status: "preparing", at: "4" });
  expect(one.reached).toEqual({ 1: AT, 2: "3", 3: "3" });
  filledIn(one, [{ status: "preparing", at: "2" }, { status: "on_its_way", at: "3" }]);
  expect(one.reached).toEqual({ 1: "2", 2: "2", 3: "3" });
  const cut = state({}, { 1: AT, 2: "2" });
  filledIn(cut, []);
  expect(cut.reached, "the log's beginning is gone").toEqual({ 1: AT, 2: "2" });
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
  expect([5, 25, 130, 7300, 200_000].map((s) => clock("en").ago(NOW, NOW + s * 1000))).toEqual(["now", "20 seconds ago", "2 minutes ago", "2 hours ago", "2 days ago"]);
});

it("says when an order is expected, that it is late, and nothing once it is over", () => {
  const clock = new Clock("de", [], "UTC");
  expect(expected(state({ expectedAt: AT }), clock, NOW)).toBe("around 12:00");
  expect(expected(state({ expectedAt: AT }), clock, NOW + 1)).toBe("was 12:00");
  expect(expected(state({ expectedAt: AT, status: "delivered" }), clock, NOW)).toBe("");
  expect(expected(state(), clock, NOW)).toBe("");
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
  const clock = new Clock("en", []);
  expect(age(state(), clock, "live", NOW, NOW + 59_000)).toBe("up to date");
  expect(age(state(), clock, "offline", NOW, NOW + 59_000)).toBe("as of 50 seconds ago");
  expect(age(state(), clock, "live", NOW, NOW + 120_000)).toBe("as of 2 minutes ago");
});
