/** The board's targets, and who the server says is looking. */

import { Problem, type Board, type OrdercastClient } from "@ordercast/client";
import { useEffect, useState } from "react";
import type { Targets } from "./ageing.ts";

const NONE: Targets = {};

export interface BoardSettings {
  /** None until they are known. */
  readonly targets: Targets;
  /** `undefined` until it is known. */
  readonly me: Board["me"] | undefined;
  /** Why it will not be known, in words: the board is not for whoever looks. */
  readonly refused?: string;
}

/** Read anew with each connection: what is changed meanwhile is not told later. */
export function useTargets(client: Pick<OrdercastClient, "board" | "on">): BoardSettings {
  const [board, set] = useState<BoardSettings>({ targets: NONE, me: undefined });
  useEffect(() => {
    let there = true;
    let newest = 0; // what was told later than the question is newer than its answer
    const read = () => {
      const mine = ++newest;
      client.board().then(
        (found) => there && set((before) => (mine === newest ? found : { ...before, me: found.me })),
        (error: unknown) => {
          if (there && error instanceof Problem && error.status === 403) set((before) => ({ ...before, refused: error.message }));
        }, // and again with the next connection
      );
    };
    const told = ({ targets }: { targets: Targets }) => {
      newest += 1;
      set((before) => ({ ...before, targets }));
    };
    read();
    const ends = [client.on("connection", ({ status }) => (status === "live" || status === "polling") && read()), client.on("board:changed", told)];
    return () => {
      there = false;
      for (const end of ends) end();
    };
  }, [client]);
  return board;
}

/** Whether somebody may set targets: they are every shop's. */
export const maySet = (me: Board["me"] | undefined): boolean => me?.role === "admin" && me.shops === null;
