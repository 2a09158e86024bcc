/** Columns that are scrolled in one frame are drawn in one go, before that frame is shown. */

import { observeElementOffset, type Virtualizer } from "@tanstack/react-virtual";
import { flushSync } from "react-dom";

let waiting: (() => void)[] = [];

/**
 * Where each column drew at once, the next one's place could only be asked for by laying out the page again: six times
 * a frame. Browsers tell of scrolling right before they call for a frame, so nothing is drawn later than it was.
 */
export function observeTogether(virtual: Virtualizer<HTMLDivElement, Element>, tell: (offset: number, isScrolling: boolean) => void) {
  return observeElementOffset(virtual, (offset, isScrolling) => {
    if (waiting.length === 0) requestAnimationFrame(draw);
    waiting.push(() => tell(offset, isScrolling));
  });
}

function draw(): void {
  const all = waiting;
  waiting = [];
  flushSync(() => {
    for (const tell of all) tell();
  });
}
