// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Asker } from "./asker.ts";

let hidden = false;
let asked: number[];
let end: () => void = () => undefined;
let began: number;

beforeEach(() => {
  vi.useFakeTimers();
  hidden = false;
  asked = [];
  began = Date.now();
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
});
afterEach(() => {
  end();
  vi.useRealTimers();
});

const PACE = { every: 30_000, apart: 5_000 };
const ask = async () => void asked.push(Date.now() - began);
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const look = (is: boolean) => {
  hidden = !is;
  document.dispatchEvent(new Event("visibilitychange"));
};

it("asks at once, every so often, and soon after a change", async () => {
  const asker = new Asker(ask, PACE);
  end = asker.start();
  await pass(30_000);
  expect(asked).toEqual([0, 30_000]);
  await pass(10_000);
  asker.soon();
  await pass(0);
  expect(asked).toEqual([0, 30_000, 40_000]);
  await pass(29_999);
  expect(asked).toHaveLength(3);
  end();
  asker.soon();
  await pass(99_000);
  expect(asked).toHaveLength(3);
});

it("asks not more often than it may, however much changes", async () => {
  const asker = new Asker(ask, PACE);
  end = asker.start();
  for (let i = 0; i < 1000; i += 1) {
    asker.soon();
    await pass(20);
  }
  expect(asked).toEqual([0, 5_000, 10_000, 15_000, 20_000]);
});

it("asks nothing while nobody looks, and what is due when somebody does", async () => {
  const asker = new Asker(ask, PACE);
  end = asker.start();
  await pass(0);
  look(false);
  asker.soon();
  await pass(90_000);
  expect(asked).toEqual([0]);
  look(true);
  await pass(0);
  expect(asked).toEqual([0, 90_000]);
  look(false);
  await pass(1_000);
  look(true); // nothing was missed
  await pass(0);
  expect(asked).toEqual([0, 90_000]);
});

it("does not ask twice at a time, and goes on after a failure", async () => {
  const answers: (() => void)[] = [];
  const asker = new Asker(() => {
    void ask();
    return new Promise((_, fail) => answers.push(() => fail(new Error("away"))));
  }, PACE);
  end = asker.start();
  await pass(60_000);
  asker.soon();
  await pass(60_000);
  expect(asked).toEqual([0]);
  answers[0]!();
  await pass(0);
  expect(asked).toEqual([0, 120_000]);
});
