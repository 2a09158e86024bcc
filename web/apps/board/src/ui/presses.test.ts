import { expect, test } from "vitest";
import { BLINK, Presses } from "./presses.ts";

const HERE = { x: 100, y: 200 };
const BESIDE = { x: 112, y: 190 };
const THERE = { x: 100, y: 420 };

test("a double press is for the card that was pressed, not for the next one that slides there", () => {
  const presses = new Presses();
  expect(presses.press("1", HERE, 1_000)).toBe(true);
  expect(presses.press("2", BESIDE, 1_000 + BLINK / 2)).toBe(false);
  expect(presses.press("3", HERE, 1_000 + BLINK - 1)).toBe(false); // nor for the one after that
  expect(presses.press("2", HERE, 1_000 + BLINK)).toBe(true);
});

test("the same card may be pressed twice, and another one elsewhere at once", () => {
  const presses = new Presses();
  expect(presses.press("1", HERE, 1_000)).toBe(true);
  expect(presses.press("1", HERE, 1_050)).toBe(true);
  expect(presses.press("2", THERE, 1_100)).toBe(true);
});

test("a card that has just slid under a pointer that rests is not pressed", () => {
  const presses = new Presses();
  presses.over("1", HERE, 1_000);
  presses.over("2", HERE, 5_000);
  expect(presses.press("2", HERE, 5_000 + BLINK - 1)).toBe(false);
  expect(presses.press("2", HERE, 5_000 + BLINK)).toBe(true);
});

test("nor is one that slid there across a gap between cards", () => {
  const presses = new Presses();
  presses.over("1", HERE, 1_000);
  presses.over(undefined, HERE, 5_000);
  presses.over("2", HERE, 5_100);
  expect(presses.press("2", HERE, 5_200)).toBe(false);
});

test("a card that the pointer went to is pressed at once", () => {
  const presses = new Presses();
  presses.over("1", HERE, 1_000);
  presses.over("2", THERE, 1_010);
  expect(presses.press("2", THERE, 1_020)).toBe(true);
  presses.over("1", HERE, 1_030);
  expect(presses.press("1", HERE, 1_040)).toBe(true);
});

test("who moves the pointer on the card that has slid there means it", () => {
  const presses = new Presses();
  presses.over("1", HERE, 1_000);
  presses.over("2", HERE, 5_000);
  presses.over("2", { x: HERE.x + 2, y: HERE.y }, 5_010); // a hand that trembles
  expect(presses.press("2", { x: HERE.x + 2, y: HERE.y }, 5_020)).toBe(false);
  presses.over("2", BESIDE, 5_100);
  expect(presses.press("2", BESIDE, 5_110)).toBe(true);
});

test("a card that one has scrolled to is pressed at once", () => {
  const presses = new Presses();
  presses.over("1", HERE, 1_000);
  presses.scroll(4_990);
  presses.over("2", HERE, 5_000);
  expect(presses.press("2", HERE, 5_010)).toBe(true);
});

test("the second half of a press on what is no card does not press the card that comes to light there", () => {
  const presses = new Presses();
  expect(presses.press(undefined, HERE, 1_000)).toBe(true); // a toast's button, a menu's item
  expect(presses.press("1", HERE, 1_000 + BLINK / 2)).toBe(false);
  expect(presses.press(undefined, HERE, 1_000 + BLINK / 2)).toBe(true);
  expect(presses.press("1", THERE, 1_000 + BLINK / 2)).toBe(true);
});

test("a toast that goes from under a pointer that rests brings no card to press", () => {
  const presses = new Presses();
  presses.over(undefined, HERE, 1_000);
  presses.over("1", HERE, 5_000);
  expect(presses.press("1", HERE, 5_100)).toBe(false);
});
