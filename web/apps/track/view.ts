/** What the page says of an order. Pure; the server says the same at first (src/ordercast/api/track_page.py). */

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

type Words = Record<"expected" | "late" | "updated" | "fresh" | "as_of" | "stopped" | "expired" | "expired_title" | "unknown_title" | "unknown" | "notified" | "notify_refused", string> & {
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

/** Takes in that the order has a status since a time: the step, and those before it, are reached. */
export function arrived(state: State, { status, at }: Arrival): void {
  for (let step = 1; step <= statusOf(state, status).step; step += 1) state.reached[step] ??= at;
}

/** Takes in the order's history, whose times are right where something was missed. Its beginning may be gone. */
export function filledIn(state: State, history: readonly Arrival[]): void {
  const known = state.reached;
  state.reached = {};
  for (const event of history) arrived(state, event);
  state.reached = { ...known, ...state.reached };
}

export interface StepView {
  name: string;
  kind: "past" | "current" | "stopped" | "";
  at: string | undefined;
}

/** The steps, as far as the order has come. */
export function steps(state: State): StepView[] {
  const { step, category } = statusOf(state, state.order.status);
  const current = step > 0 ? step : Math.max(0, ...Object.keys(state.reached).map(Number));
  return state.steps.map(([number, name]) => {
    const kind = number < current || (number === current && category === "done") ? "past" : number > current ? "" : category === "aborted" ? "stopped" : "current";
    return { name, kind, at: kind === "" ? undefined : state.reached[number] };
  });
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
  say(at: string, now: number): string {
    const zone = this.#zone === undefined ? {} : { timeZone: this.#zone };
    const day = new Intl.DateTimeFormat(this.locale, { dateStyle: "short", ...zone });
    const date = new Date(at);
    const time = new Intl.DateTimeFormat(this.locale, { timeStyle: "short", ...zone }).format(date);
    if (day.format(date) === day.format(now)) return time;
    return `${new Intl.DateTimeFormat(this.locale, { weekday: "short", day: "numeric", month: "short", ...zone }).format(date)}, ${time}`;
  }

  /** `2 minutes ago`; seconds by tens, so that it does not flicker. */
  ago(at: number, now: number): string {
    const seconds = Math.max(0, Math.floor((now - at) / 1000));
    const format = new Intl.RelativeTimeFormat(this.locale, { numeric: "auto" });
    if (seconds < 60) return format.format(-Math.floor(seconds / 10) * 10, "second");
    if (seconds < 3600) return format.format(-Math.floor(seconds / 60), "minute");
    if (seconds < 86_400) return format.format(-Math.floor(seconds / 3600), "hour");
    return format.format(-Math.floor(seconds / 86_400), "day");
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

/** When it is expected; nothing once there is nothing to expect. */
export function expected(state: State, clock: Clock, now: number): string {
  const { order, words } = state;
  if (order.expectedAt === null || statusOf(state, order.status).category !== "open") return "";
  return fill(Date.parse(order.expectedAt) >= now ? words.expected : words.late, { time: clock.say(order.expectedAt, now) });
}

/** How old what is shown may be. `syncedAt`: when it was last known to be all there was (ms since the epoch). */
export function age({ words }: State, clock: Clock, connection: string, syncedAt: number, now: number): string {
  const current = connection === "live" || connection === "polling";
  if (current && now - syncedAt < 60_000) return words.fresh;
  return fill(words.as_of, { age: clock.ago(syncedAt, now) });
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
