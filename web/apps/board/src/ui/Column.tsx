/** The orders of one status. Only the cards in sight are drawn. */

import { key } from "@ordercast/client";
import { defaultRangeExtractor, useVirtualizer, type Range, type Virtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore, type RefObject } from "react";
import type { Status } from "../model/workflow.ts";
import { Arrivals } from "./Arrivals.tsx";
import { Card } from "./Card.tsx";
import { Count } from "./Count.tsx";
import { useColumn, useDesk, useTotal } from "./context.ts";
import { useColumnDrop } from "./drag.tsx";
import { cardHeight } from "./heights.ts";
import { observeTogether } from "./scrolling.ts";

const GAP = 8; // px between cards
const USUAL = 150; // px, until a card has been measured

export function Column({ status }: { status: Status }) {
  const { board, steps, navigation, wall } = useDesk();
  const complete = useSyncExternalStore(board.onAny, () => board.complete);
  const total = useTotal(status.name);
  const ids = useColumn(status.name);
  const [quiet, unfold] = useQuiet(total === 0 && status.category !== "open", complete);
  const box = useRef<HTMLElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const stop = useSyncExternalStore(navigation.subscribe, () => navigation.stop(status.name, ids));
  const { dropProps, isDropTarget, state } = useColumnDrop(status.name, box);
  const active = stop === undefined ? -1 : ids.indexOf(stop);
  const virtual = useVirtualizer({
    count: ids.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => USUAL,
    getItemKey: (index) => ids[index]!,
    gap: GAP,
    overscan: 3,
    observeElementOffset: observeTogether,
    measureElement: cardHeight,
    useFlushSync: false,
    // The card with the focus stays, wherever one scrolls to.
    rangeExtractor: (range: Range) => {
      const shown = defaultRangeExtractor(range);
      return active < 0 || shown.includes(active) ? shown : [...shown, active].sort((a, b) => a - b);
    },
  });
  useFocus(status.name, ids, scroller, virtual.scrollToIndex, quiet ? unfold : undefined);
  useAnchor(ids, scroller, virtual);
  return (
    <section
      ref={box}
      className="column"
      id={`column-${status.name}`}
      aria-labelledby={`heading-${status.name}`}
      data-status={status.name}
      data-drop={state}
      data-quiet={quiet || undefined}
      data-over={isDropTarget || undefined}
      tabIndex={-1}
      {...dropProps}
    >
      <h2 id={`heading-${status.name}`}>
        <span className="label">{status.label}</span> <Count status={status.name} />
      </h2>
      {state === "refused" && <p className="refused">It cannot go here</p>}
      <div className="cards" ref={scroller}>
        {ids.length === 0 ? (
          <p className="nothing">{!complete ? "Loading …" : total === 0 ? "No orders" : "None of these is shown"}</p>
        ) : (
          <div className="all" role="grid" aria-label={status.label} aria-rowcount={ids.length} style={{ height: virtual.getTotalSize() }}>
            {virtual.getVirtualItems().map(({ index, start, key }) => (
              <Card
                key={key}
                id={ids[index]!}
                status={status.name}
                index={index}
                stop={ids[index] === stop}
                measure={virtual.measureElement}
                start={start}
              />
            ))}
          </div>
        )}
      </div>
      {wall ? <Below virtual={virtual} all={ids.length} /> : status.name === steps.workflow.initial && <Arrivals ids={ids} virtual={virtual} />}
    </section>
  );
}

/**
 * Whether an empty column is folded, and what opens it. It opens and folds while nobody points at a card, which would go
 * from under the pointer, or when a pointer has rested there for as long as a press takes; and once it has been open it
 * folds only after a while, or the others would change their width with each order that passes through.
 */
function useQuiet(empty: boolean, complete: boolean): [boolean, () => void] {
  const [quiet, set] = useState(empty);
  const had = useRef(false);
  useEffect(() => {
    if (!empty) had.current = true;
    if (quiet === empty || (empty && !complete)) return; // not all is here, or not again
    const due = performance.now() + (empty && had.current ? FOLDS : 0);
    const settle = () => {
      const over = performance.now() - due;
      if (!complete || over > PRESS || (over >= 0 && !isPointing())) set(empty);
    };
    settle();
    const timer = setInterval(settle, OFTEN);
    return () => clearInterval(timer);
  }, [quiet, empty, complete]);
  const unfold = useCallback(() => set(false), []);
  return [quiet, unfold];
}

/** At a card, or in its menu. Not with a finger, which leaves what it has touched last hovered. */
const isPointing = () => document.querySelector("[role=menu]") !== null || (matchMedia("(hover: hover)").matches && document.querySelector(".columns .card:hover") !== null);
const FOLDS = 600_000; // ms that a column stays open with nothing in it
const OFTEN = 300; // ms
const PRESS = 2_000; // ms in which one presses what one points at

/** On a wall nobody scrolls: how many there are that do not fit. */
function Below({ virtual, all }: { virtual: Virtualizer<HTMLDivElement, Element>; all: number }) {
  const bottom = (virtual.scrollOffset ?? 0) + (virtual.scrollRect?.height ?? 0);
  const whole = virtual.getVirtualItems().filter(({ end }) => end <= bottom).at(-1);
  const below = all - 1 - (whole?.index ?? -1);
  return bottom > 0 && below > 0 && <p className="below">and {below} more</p>;
}

/** Keeps what one looks at where it is, while orders above come and go. At the top, what comes is seen. */
function useAnchor(ids: readonly string[], scroller: RefObject<HTMLDivElement | null>, virtual: Virtualizer<HTMLDivElement, Element>): void {
  const last = useRef<{ ids: readonly string[]; seen: readonly (readonly [id: string, start: number])[] }>({ ids, seen: [] });
  useLayoutEffect(() => {
    const offset = virtual.scrollOffset ?? 0; // as last told: to ask the element would lay out the page once more
    if (last.current.ids !== ids && offset > 0) {
      for (const [id, before] of last.current.seen) {
        const now = virtual.measurementsCache[ids.indexOf(id)]?.start;
        if (now === undefined) continue;
        if (now !== before) scroller.current!.scrollBy(0, now - before);
        break;
      }
    }
    const seen = virtual.getVirtualItems().filter(({ end }) => end > offset);
    last.current = { ids, seen: seen.map(({ index, start }) => [ids[index]!, start] as const) };
  });
}

/** Lets the keyboard reach cards that are not drawn yet, and keeps it in the column when its card leaves. */
function useFocus(status: string, ids: readonly string[], scroller: RefObject<HTMLDivElement | null>, scrollTo: (index: number) => void, unfold: (() => void) | undefined): void {
  const { navigation, doing } = useDesk();
  /** Whether it was moved here: who moves one after the other by key means the next one. */
  const isOwn = (id: string) => doing.last !== undefined && key(doing.last.order.orderId) === id && Date.now() - doing.last.at < PRESS;
  const wanted = useRef<string | undefined>(undefined);
  const was = useRef({ ids, focused: false });
  const find = (id: string) => scroller.current?.querySelector<HTMLElement>(`[data-order-id="${CSS.escape(id)}"]`);
  const focus = (index: number) => {
    const id = was.current.ids[index];
    if (id === undefined) return;
    wanted.current = undefined;
    scrollTo(index);
    const there = unfold === undefined && find(id);
    if (there) there.focus({ preventScroll: true });
    else wanted.current = id;
    unfold?.();
  };
  const latest = useRef(focus);
  latest.current = focus;
  useEffect(() => navigation.register(status, { ids: () => was.current.ids, focus: (index) => latest.current(index) }), [navigation, status]);
  useLayoutEffect(() => {
    const at = navigation.at();
    const before = was.current.ids;
    was.current.ids = ids;
    if (wanted.current !== undefined) {
      const there = find(wanted.current);
      if (there) {
        wanted.current = undefined;
        there.focus({ preventScroll: true });
      }
    }
    // The card that had the focus has gone elsewhere: the next one takes its place.
    if (at?.status !== status || ids.includes(at.id) || document.activeElement !== document.body) return;
    const index = before.indexOf(at.id);
    if (index < 0 || !was.current.focused) return;
    if (ids.length > 0) {
      const next = ids[Math.min(index, ids.length - 1)]!;
      navigation.set(status, next);
      if (!isOwn(at.id)) navigation.unsettle(performance.now());
      focus(Math.min(index, ids.length - 1));
    } else {
      // The column is empty: the keyboard goes with the card, once its new column has it, or on to another.
      const own = isOwn(at.id);
      requestAnimationFrame(() => {
        if (document.activeElement === document.body && (navigation.to(at.id) || navigation.first()) && !own) navigation.unsettle(performance.now());
      });
    }
  });
  useEffect(() => {
    const element = scroller.current!;
    const on = () => void (was.current.focused = true);
    // Where the focus goes nowhere, its card may be on the way out; who presses elsewhere has left it on purpose.
    const off = (event: FocusEvent) => {
      if (event.relatedTarget !== null && !element.contains(event.relatedTarget as Node)) was.current.focused = false;
    };
    const press = (event: PointerEvent) => {
      if (!element.contains(event.target as Node)) was.current.focused = false;
    };
    element.addEventListener("focusin", on);
    element.addEventListener("focusout", off);
    document.addEventListener("pointerdown", press);
    return () => {
      element.removeEventListener("focusin", on);
      element.removeEventListener("focusout", off);
      document.removeEventListener("pointerdown", press);
    };
  }, [scroller]);
}
