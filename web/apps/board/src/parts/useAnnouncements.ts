/** Announces new orders until somebody takes them: by sound, in the title, and by a notification while nobody looks. */

import { key, type Order } from "@ordercast/client";
import { useEffect, useRef, useState } from "react";
import { summary } from "../../../shared/orders.ts";
import { beginShift, look, waiting, type Shift } from "./announcer.ts";
import type { ShiftState } from "./useShift.ts";
import { announcements as words } from "./words.ts";

/** ms between rings: often enough to be missed by nobody, seldom enough to work beside. */
export const REPEAT = 8_000;

export interface Announcements {
  /** New orders that nobody has taken. */
  readonly waiting: number;
  /** Those of them that are being rung for. */
  readonly ringing: number;
}

/**
 * `orders`: at least all that are in the workflow's `initial` status; `complete`: whether they are all there, so that
 * a list that loads is not taken for orders that come. `title`: the page's own.
 */
export function useAnnouncements(orders: readonly Order[], initial: string, complete: boolean, shift: ShiftState, title: string): Announcements {
  const { on, ring } = shift;
  const known = useRef<Shift>(undefined);
  const [ringing, setRinging] = useState(0);
  const waits = waiting(orders, initial);
  const count = waits.length;
  const latest = useRef(ring);

  useEffect(() => {
    latest.current = ring;
  });
  useEffect(() => {
    document.title = count === 0 ? title : words.title(count, title);
  }, [count, title]);
  useEffect(() => {
    if (!on) known.current = undefined;
    if (!on || !complete) return;
    const before = known.current ?? beginShift(waits);
    const { shift, fresh } = look(before, waits);
    known.current = shift;
    setRinging(shift.ringing.size);
    if (fresh.length === 0) return;
    latest.current();
    notify(fresh);
  }, [orders, initial, on, complete]);
  const rings = on && ringing > 0;
  useEffect(() => {
    if (!rings) return;
    const timer = setInterval(() => latest.current(), REPEAT);
    return () => clearInterval(timer);
  }, [rings]);
  return { waiting: count, ringing: on ? ringing : 0 };
}

/** One for all that have come at once; a newer one takes the place of the last. */
function notify(fresh: readonly Order[]): void {
  if (!document.hidden || !("Notification" in globalThis) || Notification.permission !== "granted") return;
  const [first] = fresh as [Order];
  const one = fresh.length === 1;
  try {
    const shown = new Notification(words.notification(fresh.length, key(first.orderId)), { body: one ? summary(first) : "", tag: "ordercast-new" });
    shown.onclick = () => {
      window.focus();
      shown.close();
    };
  } catch {
    // Chrome on Android has them for service workers alone
  }
}
