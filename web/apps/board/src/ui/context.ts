/** What every piece of the board works with. */

import { createContext, useContext, useSyncExternalStore } from "react";
import type { Doing } from "../model/actions.ts";
import type { Board, Card } from "../model/board.ts";
import type { Lateness } from "../model/lateness.ts";
import type { Targets } from "../parts/ageing.ts";
import type { Steps } from "../model/workflow.ts";
import type { Navigation } from "./navigation.ts";
import type { Question } from "./Reason.tsx";

/** Whom this board belongs to. */
export interface Me {
  readonly userId: string;
  readonly role: string;
}

export interface Desk {
  readonly board: Board;
  readonly steps: Steps;
  readonly doing: Doing;
  readonly me: Me;
  readonly targets: Targets;
  readonly lateness: Lateness;
  readonly navigation: Navigation;
  /** A screen on a wall: nothing to press. */
  readonly wall: boolean;
  /** Whether letters do something while a card has the focus. */
  readonly singleKeys: boolean;
  openDetails(id: string): void;
  openMenu(id: string, at: Element): void;
  /** Moves the order, once there is a reason for it. */
  ask(question: Question): void;
}

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (desk === null) throw new Error("This belongs inside the board.");
  return desk;
}

export function useCard(id: string): Card | undefined {
  const { board } = useDesk();
  return useSyncExternalStore(
    (listener) => board.onCard(id, listener),
    () => board.card(id),
  );
}

/** The ids in a column, in order. */
export function useColumn(status: string): readonly string[] {
  const { board } = useDesk();
  return useSyncExternalStore(
    (listener) => board.onColumn(status, listener),
    () => board.column(status),
  );
}

/** How many of a column the filter lets through. */
export function useShown(status: string): number {
  const { board } = useDesk();
  return useSyncExternalStore(
    (listener) => board.onColumn(status, listener),
    () => board.column(status).length,
  );
}

/** How many are in a column, filter or not. */
export function useTotal(status: string): number {
  const { board } = useDesk();
  return useSyncExternalStore(
    (listener) => board.onColumn(status, listener),
    () => board.total(status),
  );
}
