/** What keys do while a card has the focus. */

import { key, type Order } from "@ordercast/client";
import type { KeyboardEvent } from "react";
import type { Desk } from "./context.ts";

/** For the help dialog. */
export const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ["↑ ↓", "to the card above or below"],
  ["← →", "to the next column"],
  ["Home End", "to the first or last card of the column"],
  ["Enter", "opens the order"],
  ["N", "moves the order to its next status"],
  ["M", "shows all steps, and what else can be done"],
  ["C", "claims the order, or releases it"],
  ["T", "says that the customer was contacted"],
  ["U", "takes the last move back"],
  ["/", "searches; there, Enter opens the order that is meant"],
  ["B", "goes to the board"],
  ["?", "shows this"],
];

/** Keys that only go somewhere. */
const GOES = /^(Arrow|Page|Home|End)/;

/** Cards that Page Up and Page Down pass. */
const PAGE = 5;

export function onCardKey(event: KeyboardEvent, desk: Desk, status: string, order: Order): void {
  const row = event.currentTarget as HTMLElement;
  const onRow = event.target === row;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && !onRow) return void row.focus();
  const id = key(order.orderId);
  const { navigation, doing, steps, me } = desk;
  const acts: Record<string, () => void> = {
    ArrowDown: () => navigation.along(status, id, 1),
    ArrowUp: () => navigation.along(status, id, -1),
    PageDown: () => navigation.along(status, id, PAGE),
    PageUp: () => navigation.along(status, id, -PAGE),
    Home: () => navigation.along(status, id, -Infinity),
    End: () => navigation.along(status, id, Infinity),
    ArrowRight: () => navigation.across(status, id, 1),
    ArrowLeft: () => navigation.across(status, id, -1),
    Enter: () => desk.openDetails(id),
  };
  if (desk.singleKeys && !desk.wall) {
    Object.assign(acts, {
      n: () => {
        const next = steps.onward(order, me.role);
        if (next !== undefined) void doing.move(order, next);
      },
      m: () => desk.openMenu(id, row.querySelector(".more") ?? row),
      c: () => void (order.claimedBy !== null && key(order.claimedBy) === me.userId ? doing.release(order) : doing.claim(order)),
      t: () => order.firstContactAt === null && void doing.contacted(order),
    });
  }
  const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (act === undefined || (!onRow && !event.key.startsWith("Arrow"))) return;
  event.preventDefault();
  event.stopPropagation();
  if (GOES.test(event.key) || (!event.repeat && navigation.isSettled(performance.now()))) act();
}
