/** Announces new orders, and draws nothing: so that nothing else is drawn because one has come. */

import type { ReactNode } from "react";
import { useMemo, useSyncExternalStore } from "react";
import { useAnnouncements } from "../parts/useAnnouncements.ts";
import type { ShiftState } from "../parts/useShift.ts";
import { useDesk } from "./context.ts";

export function Announcer({ shift, title }: { shift: ShiftState; title: string }): ReactNode {
  const { board, steps } = useDesk();
  const { initial } = steps.workflow;
  const changes = useSyncExternalStore(board.onAny, board.changed);
  const orders = useMemo(() => board.in(initial), [board, initial, changes]);
  useAnnouncements(orders, initial, board.complete, shift, title);
  return null;
}
