// @vitest-environment happy-dom
import type { Order } from "@ordercast/client";
import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { order } from "./sample.ts";
import { ShiftButton } from "./ShiftButton.tsx";
import type { Sound } from "./sound.ts";
import { REPEAT, useAnnouncements } from "./useAnnouncements.ts";
import { useShift } from "./useShift.ts";

class Bell implements Sound {
  unlocked = false;
  rung: number[] = [];
  /** Whether the person has touched the page. */
  touched = true;
  async unlock(): Promise<void> {
    this.unlocked = this.touched;
  }
  ring(volume: number): void {
    this.rung.push(volume);
  }
  close(): void {
    this.unlocked = false;
  }
}

class Locks {
  held = 0;
  asked = 0;
  listeners: (() => void)[] = [];
  async request(): Promise<object> {
    this.asked += 1;
    this.held += 1;
    const sentinel = {
      released: false,
      release: async () => {
        if (!sentinel.released) this.held -= 1;
        sentinel.released = true;
        for (const listener of this.listeners) listener();
      },
      addEventListener: (_: string, listener: () => void) => this.listeners.push(listener),
    };
    this.letGo = sentinel.release;
    return sentinel;
  }
  letGo: () => Promise<void> = async () => undefined;
}

class Note {
  static permission = "default";
  static asked = 0;
  static shown: string[] = [];
  static async requestPermission(): Promise<string> {
    Note.asked += 1;
    return (Note.permission = "granted");
  }
  onclick: unknown;
  constructor(title: string, { body }: { body: string }) {
    Note.shown.push(`${title}: ${body}`);
  }
}

let bell: Bell;
let locks: Locks;
let hidden: boolean;

beforeEach(() => {
  bell = new Bell();
  locks = new Locks();
  hidden = false;
  Note.permission = "default";
  Note.asked = 0;
  Note.shown = [];
  sessionStorage.clear();
  localStorage.clear();
  vi.stubGlobal("Notification", Note);
  vi.useFakeTimers({ shouldAdvanceTime: true });
  Object.defineProperty(navigator, "wakeLock", { value: locks, configurable: true });
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible"), configurable: true });
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const makeBell = () => bell;

function Board({ orders, complete = true }: { orders: readonly Order[]; complete?: boolean }): ReactNode {
  const shift = useShift(makeBell);
  const { waiting, ringing } = useAnnouncements(orders, "received", complete, shift, "Orders");
  return (
    <>
      <ShiftButton shift={shift} />
      <output>{`${waiting} ${ringing}`}</output>
    </>
  );
}

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTime(ms) });
const told = () => screen.getByText(/^\d+ \d+$/).textContent;

it("rings for new orders until somebody takes them", async () => {
  const [there, fresh] = [order({ orderId: 1 }), order({ orderId: 2, items: [{ name: "Pizza" }] })];
  const { rerender } = render(<Board orders={[there]} />);
  expect(document.title).toBe("(1) New order · Orders");
  await user().click(screen.getByRole("button", { name: "Start shift" }));
  expect([told(), bell.rung, Note.asked]).toEqual(["1 0", [], 1]);
  rerender(<Board orders={[fresh, there]} />);
  expect([told(), bell.rung, document.title]).toEqual(["2 1", [0.6], "(2) New orders · Orders"]);
  expect(Note.shown).toEqual([]); // the page is looked at
  await act(() => vi.advanceTimersByTimeAsync(2 * REPEAT));
  expect(bell.rung).toHaveLength(3);
  rerender(<Board orders={[{ ...fresh, claimedBy: "ben" }, there]} />);
  await act(() => vi.advanceTimersByTimeAsync(3 * REPEAT));
  expect([told(), bell.rung.length]).toEqual(["1 0", 3]);
});

it("does not take a list that loads for orders that come", async () => {
  const { rerender } = render(<Board orders={[]} complete={false} />);
  await user().click(screen.getByRole("button", { name: "Start shift" }));
  rerender(<Board orders={[order()]} />);
  expect([told(), bell.rung]).toEqual(["1 0", []]);
});

it("notifies who looks elsewhere, once", async () => {
  const { rerender } = render(<Board orders={[]} />);
  await user().click(screen.getByRole("button", { name: "Start shift" }));
  hidden = true;
  rerender(<Board orders={[order({ items: [{ name: "Pizza", quantity: 2 }] })]} />);
  rerender(<Board orders={[order({ items: [{ name: "Pizza", quantity: 2 }] })]} />);
  expect(Note.shown).toEqual(["New order #17: 2 × Pizza"]);
});

it("holds the screen awake, also after it was hidden, until the shift ends", async () => {
  render(<Board orders={[]} />);
  await user().click(screen.getByRole("button", { name: "Start shift" }));
  expect(locks.held).toBe(1);
  hidden = true;
  await act(() => locks.letGo());
  document.dispatchEvent(new Event("visibilitychange"));
  expect(locks.asked).toBe(1);
  hidden = false;
  await act(async () => void document.dispatchEvent(new Event("visibilitychange")));
  expect([locks.asked, locks.held]).toEqual([2, 1]);
  await user().click(screen.getByRole("button", { name: /On shift/ }));
  await user().click(screen.getByRole("button", { name: "End shift" }));
  expect(locks.held).toBe(0);
  expect(screen.getByRole("button", { name: "Start shift" })).toBeTruthy();
});

it("goes on after a reload, and sounds with the first touch", async () => {
  sessionStorage.setItem("ordercast.shift", "true");
  render(<Board orders={[]} />);
  expect(screen.getByRole("button", { name: /press any key for sound/ })).toBeTruthy();
  await user().keyboard("x");
  expect(bell.unlocked).toBe(true);
  expect(await screen.findByRole("button", { name: "On shift" }, { timeout: 30_000 })).toBeTruthy();
});

it("keeps mute and volume", async () => {
  localStorage.setItem("ordercast.volume", "0.25");
  localStorage.setItem("ordercast.muted", "true");
  const { rerender } = render(<Board orders={[]} />);
  await user().click(screen.getByRole("button", { name: "Start shift" }));
  rerender(<Board orders={[order()]} />);
  expect(bell.rung).toEqual([]);
  await user().click(screen.getByRole("button", { name: /muted/ }));
  await user().click(screen.getByRole("switch", { name: "Ring for new orders" }));
  await user().click(screen.getByRole("button", { name: "Try the sound" }));
  expect(bell.rung).toEqual([0.25]);
  expect(localStorage.getItem("ordercast.muted")).toBe("false");
});
