/** How high cards are, kept when they go from one column to the next: to ask a new one would lay out the page at once. */

import { measureElement, type Virtualizer } from "@tanstack/react-virtual";

const MOST = 20_000; // orders; then it is asked anew

const known = new Map<string, number>();

/** A card's height in px: as it was last seen, until the browser tells of another, which it does before it draws. */
export function cardHeight(card: Element, seen: ResizeObserverEntry | undefined, virtual: Virtualizer<HTMLDivElement, Element>): number {
  const id = (card as HTMLElement).dataset.orderId!;
  const before = seen === undefined ? known.get(id) : undefined;
  if (before !== undefined) return before;
  const height = measureElement(card, seen, virtual);
  if (known.size >= MOST) known.clear();
  known.set(id, height);
  return height;
}
