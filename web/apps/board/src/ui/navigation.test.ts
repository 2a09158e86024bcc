import { expect, test } from "vitest";
import { Navigation } from "./navigation.ts";
import { BLINK } from "./presses.ts";

test("a card that has taken the place of another is not meant by a key for a blink, and at once where one went to it", () => {
  const navigation = new Navigation(["received"]);
  expect(navigation.isSettled(0)).toBe(true);
  navigation.replace("received", "2", 10_000);
  expect(navigation.at()).toEqual({ status: "received", id: "2" });
  expect(navigation.isSettled(10_000 + BLINK - 1)).toBe(false);
  expect(navigation.isSettled(10_000 + BLINK)).toBe(true);
  navigation.replace("received", "3", 20_000);
  navigation.set("received", "4");
  expect(navigation.isSettled(20_001)).toBe(true);
});
