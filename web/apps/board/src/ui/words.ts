/** What the board's shell says. The parts have words of their own. */

import type { Order } from "@ordercast/client";

/** "4:05", "1 h 12": a time that passes, in few characters. Seconds. */
export function passing(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [minutes, rest] = [Math.floor(whole / 60), String(whole % 60).padStart(2, "0")];
  if (minutes < 60) return `${minutes}:${rest}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  const days = Math.floor(hours / 24);
  return days === 1 ? "1 day" : `${days} days`;
}

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

const NEAR = 12 * 3600 * 1000; // ms within which a time alone is clear

/** "18:45", or with its day where it is far. */
export function clockTime(at: string, now: number): string {
  const date = new Date(at);
  return (Math.abs(date.getTime() - now) < NEAR ? time : day).format(date);
}

const FULFILMENT: Readonly<Record<string, string>> = { delivery: "Delivery", pickup: "Pickup" };
export const fulfilment = (order: Order): string => FULFILMENT[order.fulfilment ?? ""] ?? "";

export const customer = (order: Order): string => (typeof order.contact?.name === "string" ? order.contact.name : "");

interface Item {
  readonly name?: string;
  readonly quantity?: number;
}
export const items = (order: Order): { quantity: number; name: string }[] =>
  (order.items as Item[]).map((item) => ({ quantity: item.quantity ?? 1, name: item.name ?? "?" }));

export const REASONS = ["Pressed by mistake", "Not ready yet", "Wrong order", "The customer asked for it"] as const;

/** Why an order comes to nothing. */
export const ABORTS = ["The customer asked for it", "Something is sold out", "It cannot be brought there", "Ordered twice"] as const;

export const questions = {
  back: (order: Order, label: string) => `Order ${order.orderId} back to ${label}?`,
  abort: (order: Order, label: string) => `Order ${order.orderId} to ${label}?`,
  keptBack: "Press a reason. It stays in the order’s history.",
  keptAbort: "Press a reason. The customer sees at once that it is over; the reason stays in the order’s history.",
  goBack: "Move back",
  goThere: "Move it there",
};

export const card = {
  /** What stands before and after a time in the step: how long it has been there, how long it may, how much longer it is. */
  stay: { none: ["in step", ""], fresh: ["in step", ""], due: ["", "left"], late: ["", "over"] },
  since: (time: string) => `In this step since ${time}`,
  promised: "promised",
  late: (time: string) => `${time} late`,
  lateFor: "for",
  notContacted: (time: string) => `no contact ${time}`,
  contacted: (time: string) => `contacted in ${time}`,
  claim: "Claim",
  claimedBy: "Claimed by",
} as const;

export const shell = {
  title: "Orders",
  moved: (order: Order, to: string) => `Order ${order.orderId} moved to ${to}`,
  undo: "Undo",
  arrived: (n: number) => (n === 1 ? "1 new order" : `${n} new orders`),
  targets: "Targets",
  csv: "Save what is shown as CSV",
  keys: "Keys and shortcuts",
  wall: "Show on a wall",
};
