import { expect, test } from "vitest";
import { Navigation } from "./navigation.ts";
import { BLINK } from "./presses.ts";

test("a card that has taken the place of another is not meant by a key for a blink, and at once where one went to it", () => {
  const navigation = new Navigation(["received"]);
  expect(navigation.isSettled(0)).toBe(true);
  navigation.set("received", "2");
  navigation.unsettle(10_000);
  navigation.set("received", "2"); // as its focus says
  expect(navigation.at()).toEqual({ status: "received", id: "2" });
  expect(navigation.isSettled(10_000 + BLINK - 1)).toBe(false);
  expect(navigation.isSettled(10_000 + BLINK)).toBe(true);
  navigation.unsettle(20_000);
  navigation.set("received", "4");
  expect(navigation.isSettled(20_001)).toBe(true);
});
