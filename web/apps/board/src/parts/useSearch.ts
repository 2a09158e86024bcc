/** Asks the server for orders that are not on the board, as somebody types. */

import { key, type Order, type OrdercastClient } from "@ordercast/client";
import { useEffect, useState } from "react";

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

const NOTHING: Found = { status: "idle", orders: [], more: false };

export function useSearch(client: Pick<OrdercastClient, "listOrders">, typed: string): Found {
  const [found, set] = useState<Found>(NOTHING);
  const q = typed.trim().replace(/^#(?=.)/, "").slice(0, LONGEST);
  useEffect(() => {
    if (q === "") return set(NOTHING);
    let current = true; // an answer to another text counts no more
    set((before) => ({ ...before, status: "asking" }));
    const timer = setTimeout(async () => {
      try {
        const page = await client.listOrders({ q, limit: MOST });
        if (current) set({ status: "found", orders: page.orders, more: page.next !== null });
      } catch {
        if (current) set({ ...NOTHING, status: "failed" });
      }
    }, PAUSE);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [client, q]);
  return found;
}

/** Those that the board does not show. */
export const others = (found: Found, isShown: (id: string) => boolean): Order[] => found.orders.filter(({ orderId }) => !isShown(key(orderId)));
