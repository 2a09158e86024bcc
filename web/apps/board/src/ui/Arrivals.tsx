/** Says that new orders have come below what is in sight, until they have been in sight: the oldest stand first. */

import type { Virtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useRef, useState, type ReactNode } from "react";
import type { Card } from "../model/board.ts";
import { useDesk } from "./context.ts";
import { shell as words } from "./words.ts";

interface Props {
  readonly ids: readonly string[];
  readonly virtual: Virtualizer<HTMLDivElement, Element>;
}

export function Arrivals({ ids, virtual }: Props): ReactNode {
  const { navigation } = useDesk();
  const unseen = useUnseen(ids, virtual);
  const [first] = unseen;
  if (first === undefined) return null;
  return (
    <button type="button" className="arrived" onClick={() => navigation.to(first)}>
      <span aria-hidden="true">↓</span> {words.arrived(unseen.length)}
    </button>
  );
}

/** And neither taken back, nor left out by a filter until now. */
const isNew = (card: Card | undefined): boolean => card?.order.version === 1 && performance.now() - (card.movedAt ?? -Infinity) < RECENT;
const RECENT = 2_000; // ms

/** Ids of those that have come while somebody was here, and that nobody can have seen yet. */
function useUnseen(ids: readonly string[], virtual: Props["virtual"]): readonly string[] {
  const { board } = useDesk();
  const [unseen, set] = useState<readonly string[]>([]);
  const known = useRef<{ ids: readonly string[]; set: ReadonlySet<string> }>(undefined);
  const bottom = (virtual.scrollOffset ?? 0) + (virtual.scrollRect?.height ?? 0);
  const last = virtual.getVirtualItems().filter(({ start, size }) => start + size / 2 <= bottom).at(-1)?.index ?? -1;
  useLayoutEffect(() => {
    const before = known.current;
    if (before?.ids !== ids) known.current = { ids, set: new Set(ids) };
    const hasCome = (id: string) => before !== undefined && !before.set.has(id) && isNew(board.card(id));
    const below = ids.slice(last + 1);
    const next = below.filter((id) => unseen.includes(id) || (before?.ids !== ids && hasCome(id)));
    if (next.length !== unseen.length || next.some((id, index) => id !== unseen[index])) set(next);
  }, [board, ids, last, unseen]);
  return unseen;
}
