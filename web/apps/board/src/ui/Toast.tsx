/** What has just been done, and the way back. The page and its dialogs end above it, so that it lies over nothing. */

import { key } from "@ordercast/client";
import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";
import type { Moved } from "../model/actions.ts";
import { useDesk } from "./context.ts";

export interface Note {
  readonly text: string;
  readonly action?: { readonly label: string; readonly act: () => void };
  /** What it says of an order; it goes once that holds no more. */
  readonly of?: Moved;
}

const STAYS = 10_000; // ms
/** ms that a way back is offered; it is in the order's menu as well. */
export const OFFERS = 30_000;

export function Toast({ note, close }: { note: Note | undefined; close: () => void }) {
  const [held, hold] = useState(false);
  useEffect(() => {
    if (note === undefined || held) return;
    const timer = setTimeout(close, note.action === undefined ? STAYS : OFFERS);
    return () => clearTimeout(timer);
  }, [note, held, close]);
  useEffect(() => {
    if (note === undefined) hold(false); // a button that goes away says nothing of its focus
  }, [note]);
  const box = useRef<HTMLDivElement>(null);
  useStale(note?.of, box, close);
  const there = note !== undefined;
  useLayoutEffect(() => {
    if (!there) return;
    const root = document.documentElement.style;
    const room = new ResizeObserver(() => root.setProperty("--toast", `${box.current!.offsetHeight}px`));
    room.observe(box.current!);
    return () => {
      room.disconnect();
      root.removeProperty("--toast");
    };
  }, [there]);
  return (
    <div
      ref={box}
      className="toasts"
      data-react-aria-top-layer="true" // to be reached over a dialog, too
      onMouseEnter={() => hold(true)}
      onMouseLeave={() => hold(false)}
      onFocus={() => hold(true)}
      onBlur={() => hold(false)}
    >
      <p role="status" className="visually-hidden">
        {note?.text}
      </p>
      {note !== undefined && (
        <div className="toast">
          <span aria-hidden="true">{note.text}</span>
          {note.action !== undefined && (
            <button type="button" onClick={note.action.act}>
              {note.action.label}
            </button>
          )}
          <button type="button" className="plain" aria-label="Close" onClick={close}>
            ✕
          </button>
        </div>
      )}
    </div>
  );
}

/** Ends what is said of an order that somebody has moved on since; not while the keyboard is there, which is told so. */
function useStale(of: Moved | undefined, box: RefObject<HTMLElement | null>, close: () => void): void {
  const { board, steps } = useDesk();
  useEffect(() => {
    if (of === undefined) return;
    const id = key(of.order.orderId);
    const look = () => {
      const card = board.card(id);
      const left = card === undefined ? steps.isOpen(of.to) : !card.pending && card.order.status !== of.to;
      if (left && !box.current!.contains(document.activeElement)) close();
    };
    look();
    return board.onCard(id, look);
  }, [of, board, steps, box, close]);
}
