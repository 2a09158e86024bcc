/** What the page says of an order. Pure; the server says the same at first (src/ordercast/api/track_view.py, track_page.py). */

import type { Connection, Order } from "@ordercast/client";

/** What the server put into the page. */
export interface State {
  order: Order;
  /** When each step was first reached. */
  reached: Record<string, string>;
  statuses: Record<string, Status>;
  /** Number and name. */
  steps: [number, string][];
  words: Words;
  lang: string;
}

export interface Status {
  label: string;
  more: string;
  step: number;
  category: "open" | "done" | "aborted";
}

type Words = Record<
  | "order" | "expected" | "expected_pickup" | "late" | "in_minutes" | "soon" | "progress" | "stopped" | "all_items" | "updated" | "fresh" | "as_of"
  | "expired" | "expired_title" | "unknown_title" | "unknown" | "notified" | "notify_refused",
  string
> & {
  connection: Record<"live" | "resuming" | "polling" | "offline" | "unreachable" | "ended", string>;
};

export const statusOf = (state: State, name: string): Status =>
  state.statuses[name] ?? { label: name, more: "", step: 0, category: "open" };

/** Puts a value where the words have a place for it. */
export const fill = (words: string, values: Record<string, string>): string =>
  words.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);

export interface Arrival {
  status: string;
  at: string;
}

/**
 * Takes in that the order has a status since a time: the step, and those before it, are reached. Where a step is of
 * several statuses, the last one's time counts. A step back takes the times of the later ones away.
 */
export function arrived(state: State, { status, at }: Arrival): void {
  const { step } = statusOf(state, status);
  if (step === 0) return;
  for (const later of Object.keys(state.reached)) if (Number(later) >= step) delete state.reached[later];
  for (let passed = 1; passed <= step; passed += 1) state.reached[passed] ??= at;
}

/** Takes in the order's history, whose times are right where something was missed. Its beginning may be gone. */
export function filledIn(state: State, history: readonly Arrival[]): void {
  let before: string | undefined;
  for (const event of history) {
    const first = before === undefined && statusOf(state, event.status).step === 1; // since the order was made
    if (event.status !== before && !first) arrived(state, event);
    before = event.status;
  }
}

export interface StepView {
  name: string;
  kind: "past" | "current" | "stopped" | "";
  at: string | undefined;
}

/** The step at which the order stands, or stopped. */
function standing({ order, statuses, reached }: State): number {
  return statuses[order.status]?.step || Math.max(...Object.keys(reached).map(Number));
}

/** The steps, as far as the order has come. The current one is called as the status is: "Ready" is not on its way yet. */
export function steps(state: State): StepView[] {
  const { step, label, category } = statusOf(state, state.order.status);
  const current = standing(state);
  return state.steps.map(([number, name]) => {
    const kind = number < current || (number === current && category === "done") ? "past" : number > current ? "" : category === "aborted" ? "stopped" : "current";
    return { name: kind === "current" && number === step ? label : name, kind, at: kind === "" ? undefined : state.reached[number] };
  });
}

/** How many of the steps are reached. */
export function progress(state: State): number {
  const current = standing(state);
  return state.steps.filter(([number]) => number <= current).length;
}

/** The tab's icon: a ring as far as the order has come, a tick, or a cross. An SVG as a `data:` address. */
export function icon(current: number, steps: number, category: Status["category"]): string {
  const colour = category === "aborted" ? "#a3261c" : "#12805f";
  const shape =
    category === "open"
      ? `<circle cx="16" cy="16" r="12" stroke="#9aa" opacity=".5"/><path d="M16 4a12 12 0 1 1 0 24a12 12 0 1 1 0-24" stroke="${colour}" pathLength="${steps}" stroke-dasharray="${current} ${steps}"/>`
      : `<circle cx="16" cy="16" r="15" fill="${colour}"/><path d="${category === "done" ? "M9 17l5 5 9-11" : "M11 11l10 10M21 11l-10 10"}" stroke="#fff" stroke-width="4"/>`;
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke-width="6">${shape}</svg>`)}`;
}

/** Times in the reader's own zone, and in the page's language as the reader's country writes it. */
export class Clock {
  readonly locale: string;
  readonly #zone: string | undefined;

  constructor(lang: string, preferred: readonly string[], zone?: string) {
    this.locale = preferred.find((tag) => tag.toLowerCase().split("-")[0] === lang) ?? lang;
    this.#zone = zone;
  }

  /** `18:45`, with the day where that is not today. */
  say(at: string | number, now: number): string {
    const zone = this.#zone === undefined ? {} : { timeZone: this.#zone };
    const day = new Intl.DateTimeFormat(this.locale, { dateStyle: "short", ...zone });
    const date = new Date(at);
    const time = new Intl.DateTimeFormat(this.locale, { timeStyle: "short", ...zone }).format(date);
    if (day.format(date) === day.format(now)) return time;
    return `${new Intl.DateTimeFormat(this.locale, { weekday: "short", day: "numeric", month: "short", ...zone }).format(date)}, ${time}`;
  }

  /** An amount of money. A code that is no currency's is shown as it is. */
  money(total: number, currency: string | null): string {
    try {
      if (currency !== null) return new Intl.NumberFormat(this.locale, { style: "currency", currency }).format(total);
    } catch {
      // below
    }
    return `${new Intl.NumberFormat(this.locale, { minimumFractionDigits: 2 }).format(total)} ${currency ?? ""}`.trim();
  }
}

export interface Expectation {
  kind: "" | "ahead" | "late";
  /** By the clock. */
  words: string;
  /** In how long, where that is soon. */
  left: string;
}

const SOON = 90; // minutes; what is further away is told by the clock alone

/** When it is expected; nothing where there is nothing to wait for: an order to collect is waited for until it is at
 * the last step but one. */
export function expected(state: State, clock: Clock, now: number): Expectation {
  const { order, words } = state;
  const { category, step } = statusOf(state, order.status);
  const pickup = order.fulfilment === "pickup";
  const collect = pickup && step >= (state.steps.at(-2)?.[0] ?? Infinity);
  if (order.expectedAt === null || category !== "open" || collect) return { kind: "", words: "", left: "" };
  const time = clock.say(order.expectedAt, now);
  const minutes = (Date.parse(order.expectedAt) - now) / 60_000;
  if (minutes < 0) return { kind: "late", words: fill(words.late, { time }), left: "" };
  return { kind: "ahead", words: fill(pickup ? words.expected_pickup : words.expected, { time }), left: left(minutes, words) };
}

/** By fives while it is a while: nobody knows it better, and it stays calm. */
function left(minutes: number, words: Words): string {
  if (minutes > SOON) return "";
  if (minutes < 1) return words.soon;
  const by = minutes >= 15 ? 5 : 1;
  return fill(words.in_minutes, { minutes: String(Math.round(minutes / by) * by) });
}

/** How old what is shown may be. `syncedAt`: when it was last known to be all there was (ms since the epoch). */
export function age({ words }: State, clock: Clock, connection: string, syncedAt: number, now: number): string {
  const current = connection === "live" || connection === "polling";
  if (current && now - syncedAt < 60_000) return words.fresh;
  return fill(words.as_of, { time: clock.say(syncedAt, now) });
}

/** What is wrong: a title and a sentence; nothing where nothing is. `status` is the one that REST answered with. */
export function problem({ words }: State, connection: Connection, status: number | undefined): [string, string] | [] {
  if (connection.status === "offline" && ["token_expired", "revoked", "unauthorized"].includes(connection.reason)) {
    return [words.expired_title, words.expired];
  }
  return status === 404 ? [words.unknown_title, words.unknown] : [];
}

/** How live the page is, as `data-connection` has it and in words. */
export function connectionWords(state: State, connection: Connection, online: boolean): { name: string; words: string } {
  const { words } = state;
  if (connection.status !== "offline") return { name: connection.status, words: words.connection[connection.status] };
  if (!connection.retrying && connection.reason !== "idle") return { name: "ended", words: words.connection.ended };
  return { name: "offline", words: online ? words.connection.unreachable : words.connection.offline };
}
