// @vitest-environment happy-dom
import { act, cleanup, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Banner } from "./Banner.tsx";
import { serve } from "./fakeClient.tsx";
import { FiguresBar } from "./FiguresBar.tsx";
import { Online } from "./Online.tsx";
import { order, STATS, WORKFLOW } from "./sample.ts";

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "requestAnimationFrame"] });
  Object.defineProperty(document, "hidden", { get: () => false, configurable: true });
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});
const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTime(ms) });
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

it("shows how live it is, and says it once it has settled", async () => {
  const shop = serve({});
  const { container } = shop.show(<Banner />);
  const banner = () => container.querySelector(".banner")!;
  expect(banner().textContent).toBe("Connecting …");
  await shop.connect();
  expect(banner().getAttribute("data-liveness")).toBe("live");
  expect(screen.getByRole("status").textContent).toBe("");
  await pass(2_000);
  expect(screen.getByRole("status").textContent).toBe("Live");
  await act(async () => shop.socket.drop("transport close"));
  await pass(1_500);
  expect(banner().textContent).toMatch(/^Catching up … · what you see is \d s old/);
  expect(screen.getByRole("status").textContent).toBe("Live"); // it may be right back
  await pass(1_000);
  expect(screen.getByRole("status").textContent).toBe("Catching up …");
  await act(async () => shop.socket.accept());
  await act(async () => shop.socket.hear("caught_up", { position: 1 }));
  expect(banner().textContent).toMatch(/^Live/);
  await act(async () => shop.socket.hear("force_disconnect", { reason: "revoked" }));
  await act(async () => shop.socket.drop("io server disconnect"));
  expect(banner().getAttribute("data-liveness")).toBe("ended");
});

it("shows the day's figures, again after changes, and measures how late they are seen", async () => {
  const shop = serve({ "GET stats": () => ({ ...STATS, asOf: new Date().toISOString() }), "GET orders/17": order() });
  shop.show(<FiguresBar workflow={WORKFLOW} />);
  await shop.connect();
  await pass(0);
  const bar = within(screen.getByRole("region", { name: "Today" }));
  expect(bar.getByText("First contact").nextSibling!.textContent).toBe("1 min 5 s (9 of 10 within 4 min)");
  expect(bar.queryByText("Update latency")).toBeNull();
  const before = shop.times("GET stats");
  await pass(6_000);
  for (let version = 2; version < 22; version += 1) {
    const updatedAt = new Date(Date.now() - 120).toISOString();
    await shop.hear("order:status_changed", { orderId: 17, status: "ready", updatedAt, customerId: 1, updatedBy: null, version, position: version });
  }
  await pass(4_000);
  expect(shop.times("GET stats")).toBe(before + 1);
  const shown = /^(\d+) ms/.exec(bar.getByText("Update latency").nextSibling!.textContent!)!;
  expect(Number(shown[1])).toBeGreaterThanOrEqual(115);
  await user().click(bar.getByRole("button", { name: "Figures" }));
  const more = within(screen.getByRole("dialog", { name: "Today" }));
  expect(more.getByRole("row", { name: "Received 3 40 s 1 min 30 s" })).toBeTruthy();
  expect(more.getByText(/the last 20 changes, clocks compared to ±/)).toBeTruthy();
});

it("does not count what it catches up with as latency", async () => {
  const shop = serve({ "GET stats": () => ({ ...STATS, asOf: new Date().toISOString() }) });
  shop.show(<FiguresBar workflow={WORKFLOW} />);
  await shop.connect();
  await act(async () => shop.socket.drop("transport close"));
  await pass(1_000);
  await act(async () => shop.socket.accept());
  await shop.hear("order:status_changed", { orderId: 17, status: "ready", updatedAt: new Date(Date.now() - 60_000).toISOString(), customerId: 1, updatedBy: null, version: 2, position: 2 });
  await shop.hear("caught_up", { position: 2 });
  await pass(3_000);
  expect(screen.queryByText("Update latency")).toBeNull();
});

it("shows who else is online, without oneself", async () => {
  let operators = [{ userId: 7, role: "operator" }, { userId: "ben", role: "admin" }];
  const shop = serve({ "GET presence": () => ({ operatorsOnline: operators.length, operators }) });
  shop.show(<Online me="7" />);
  await shop.connect();
  await pass(0);
  await user().click(screen.getByRole("button", { name: "1 other online" }));
  expect(screen.getAllByRole("listitem").map((item) => item.textContent!.trim())).toEqual(["7 (you)", "ben admin"]);
  await user().keyboard("{Escape}");
  operators = operators.slice(0, 1);
  await pass(10_000);
  expect(screen.getByRole("button", { name: "Only you online" })).toBeTruthy();
});
