/** Asks the server for orders that are over, and so not on the board, as somebody types. */

import { Problem, type Order, type OrdercastClient } from "@ordercast/client";
import { useCallback, useEffect, useState } from "react";
import { isNamed } from "./hits.ts";

/** ms without another letter: people type faster than that while they know what. */
const PAUSE = 300;

const MOST = 30; // found orders: more are not read, but narrowed down by typing on

/** The server takes no more. */
export const LONGEST = 100;

export interface Found {
  /** `idle`: nothing was typed. While `asking`, `orders` are those of the text before. */
  readonly status: "idle" | "asking" | "found" | "failed";
  readonly orders: readonly Order[];
  /** There are more of them. */
  readonly more: boolean;
}

export interface Search extends Found {
  /** Asks once more: something may have been closed since. */
  readonly again: () => void;
}

type Asked = Pick<OrdercastClient, "listOrders" | "getOrder">;

const NOTHING: Found = { status: "idle", orders: [], more: false };

/** `statuses`: those of orders that are over. */
export function useSearch(client: Asked, typed: string, statuses: readonly string[]): Search {
  const [{ of, ...found }, set] = useState<Found & { of: string }>({ ...NOTHING, of: "" });
  const [times, setTimes] = useState(0);
  const q = typed.trim().replace(/^#\s*/, "").slice(0, LONGEST);
  useEffect(() => {
    if (q === "" || statuses.length === 0) return set({ ...NOTHING, of: q });
    let current = true; // an answer to another text counts no more
    const timer = setTimeout(async () => {
      try {
        const answer = await ask(client, q, statuses);
        if (current) set({ status: "found", ...answer, of: q });
      } catch {
        if (current) set({ ...NOTHING, status: "failed", of: q });
      }
    }, PAUSE);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [client, q, statuses, times]);
  const again = useCallback(() => setTimes((n) => n + 1), []);
  return { ...found, ...(of !== q && { status: "asking" }), again };
}

async function ask(client: Asked, q: string, statuses: readonly string[]): Promise<Pick<Found, "orders" | "more">> {
  const { orders, next } = await client.listOrders({ q, status: [...statuses], limit: MOST });
  const more = next !== null;
  if (!more || isNamed(q, orders)) return { orders, more };
  try {
    const order = await client.getOrder(q); // the one of that very number may be older than all these
    return { orders: statuses.includes(order.status) ? [order, ...orders] : orders, more };
  } catch (error) {
    if (error instanceof Problem) return { orders, more };
    throw error;
  }
}
