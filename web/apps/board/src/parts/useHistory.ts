/** An order's history, asked for again whenever the order has changed. */

import { key, type History, type Id, type OrdercastClient } from "@ordercast/client";
import { useCallback, useEffect, useState } from "react";

export interface HistoryState {
  /** As last heard; `undefined` before the first answer. */
  readonly history: History | undefined;
  readonly failed: boolean;
  readonly again: () => void;
}

/** `version`: the order's own; `undefined`: not known yet, and nothing is asked. */
export function useHistory(client: Pick<OrdercastClient, "call">, id: Id, version: number | undefined): HistoryState {
  const [state, set] = useState<{ of: string; history: History | undefined; failed: boolean }>();
  const [tries, setTries] = useState(0);
  const of = key(id);
  useEffect(() => {
    if (version === undefined) return;
    let current = true;
    client.call<History>("GET", `orders/${encodeURIComponent(of)}/events`).then(
      (history) => current && set({ of, history, failed: false }),
      () => current && set((before) => ({ of, history: before?.of === of ? before.history : undefined, failed: true })),
    );
    return () => {
      current = false;
    };
  }, [client, of, version, tries]);
  const again = useCallback(() => setTries((n) => n + 1), []);
  const known = state?.of === of ? state : undefined;
  return { history: known?.history, failed: known?.failed ?? false, again };
}
