/** Times and spans as people read them. Pure, but for the reader's own language and zone. */

/** A span in few characters: "45 s", "4 min", "2 h 5 min", "3 d". Seconds; what is below 0 is 0. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return both(Math.floor(s / 3600), "h", Math.floor((s % 3600) / 60), "min");
  return both(Math.floor(s / 86_400), "d", Math.floor((s % 86_400) / 3600), "h");
}

/** The same to the second up to an hour, where it was measured: "4 min 5 s". Whole seconds that have passed, as on the cards. */
export function exactSpan(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  return s < 60 || s >= 3600 ? span(s) : both(Math.floor(s / 60), "min", s % 60, "s");
}

const both = (a: number, big: string, b: number, small: string): string => (b === 0 ? `${a} ${big}` : `${a} ${big} ${b} ${small}`);

/** "14:05", and with the day where that is not `now`'s: always, where `now` is NaN. ms since the epoch. */
export function clock(at: number, now: number, timeZone?: string): string {
  const time = new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", timeZone });
  const day = (ms: number) => new Date(ms).toLocaleDateString(undefined, { day: "numeric", month: "short", timeZone });
  return day(at) === day(now) ? time : `${day(at)}, ${time}`;
}

/** "2026-11-25 14:05:09", in the reader's zone: what spreadsheets take for a time. */
export const sortable = (at: string | number, timeZone?: string): string => new Date(at).toLocaleString("sv-SE", { timeZone });

/** For `<input type="datetime-local">`: "2026-11-25T14:05". */
export const toField = (at: string | null): string => (at === null ? "" : sortable(at).replace(" ", "T").slice(0, 16));

/** What such an input says; `null` where it is empty. */
export const fromField = (text: string): string | null => (text === "" ? null : new Date(text).toISOString());
