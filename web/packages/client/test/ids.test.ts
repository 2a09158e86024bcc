import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { found, LATER, setUp, turn, WORKFLOW } from "./fakes.ts";
import { orderKey } from "../src/ids.ts";
import type { Id } from "../src/models.ts";
import { order } from "./orders.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const NONE = ["", " ", "A1/events", "../stats", "A1?x=1", "ä", "x".repeat(65), ".", "..", "17\n", -1, 1.5, NaN, 2 ** 53, undefined, null, {}] as Id[];

it("takes the contract's ids, as text", () => {
  expect([17, 0, "17", "007", "a:b", "A-1_x.y", "...", "x".repeat(64), "__proto__"].map(orderKey)).toEqual(["17", "0", "17", "007", "a:b", "A-1_x.y", "...", "x".repeat(64), "__proto__"]);
});

it("says of anything else that it is none, and asks nobody", async () => {
  const { client, socket, asked } = setUp((path) => (path === "workflow" ? WORKFLOW : found(order())));
  client.connect();
  await socket.accept();
  for (const id of NONE) {
    const watched = client.watchOrder(id);
    expect(watched.current).toMatchObject({ order: undefined, complete: false });
    expect(watched.current.error?.message).toContain("is no order's id: give a whole number, or 1 to 64 of");
    watched.subscribe(() => undefined);
    await expect(client.getOrder(id)).rejects.toThrow("is no order's id");
    await expect(client.changeStatus(id, "ready")).rejects.toThrow("is no order's id");
    await expect(client.claim(id)).rejects.toThrow("is no order's id");
    watched.unsubscribe();
  }
  await vi.advanceTimersByTimeAsync(LATER);
  expect(asked).toEqual(["workflow"]);
  expect(socket.said).toEqual([]);
});

it.each([{ orderId: 18 }, { ok: true }, null, []])("takes %j for no answer, and does not ask again at once", async (body) => {
  let answer: unknown = body;
  const { client, socket, asked } = setUp((path) => (path === "workflow" ? WORKFLOW : found(answer)));
  const watched = client.watchOrder(17);
  client.connect();
  await socket.accept();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked.length).toBeLessThan(10);
  expect(watched.current.order).toBeUndefined();
  await expect(client.getOrder(17)).rejects.toThrow("The answer is not order 17.");
  answer = order();
  await vi.advanceTimersByTimeAsync(LATER);
  expect(watched.current.order?.orderId).toBe(17);
});

it("gives no order that is older than what is shown of it", async () => {
  let late: (answer: ReturnType<typeof found>) => void = () => undefined;
  let slow = false;
  const { client, socket } = setUp((path) => (path === "workflow" ? WORKFLOW : slow ? new Promise((resolve) => void (late = resolve)) : found(order())));
  client.watchOrder(17);
  client.connect();
  await socket.accept();
  await turn();
  slow = true;
  const asked = client.getOrder(17);
  await turn();
  socket.hear("order:changed", { orderId: 17, changes: { note: "ring" }, version: 2, position: 102 });
  late(found(order()));
  expect(await asked).toMatchObject({ version: 2, note: "ring" });
});
