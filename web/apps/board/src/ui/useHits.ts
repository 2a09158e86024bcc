/** What a search has found, wherever it is: live, as long as somebody searches. */

import { key, type Order } from "@ordercast/client";
import { useMemo, useSyncExternalStore } from "react";
import { oldestFirst } from "../model/columns.ts";
import { count } from "../parts/filters.ts";
import { hits, isBlank, matches, meant } from "../parts/hits.ts";
import type { Found } from "../parts/useSearch.ts";
import { useDesk } from "./context.ts";
import type { Finding } from "./useFilter.ts";

/** The likeliest first in each list. */
export interface Hits {
  readonly q: string;
  readonly status: Found["status"];
  /** In their columns. */
  readonly shown: readonly Order[];
  /** Open ones that the filter leaves out. */
  readonly left: readonly Order[];
  readonly over: readonly Order[];
  /** Some of those in their columns fit only by what was ordered, by which closed ones are not searched. */
  readonly byItem: boolean;
  /** There are more that are over. */
  readonly more: boolean;
  /** The one that Enter opens. */
  readonly meant: Order | undefined;
  /** Nothing that is still to come changes that. */
  readonly sure: boolean;
}

const LOOKED_AT = 30; // of those that are likeliest

/** `undefined` where nobody searches. */
export function useHits({ filter, search, named }: Finding): Hits | undefined {
  const { board, steps } = useDesk();
  const { q } = filter;
  const searching = !isBlank(q);
  const change = useSyncExternalStore(board.onAny, () => (searching ? board.changed() : 0));
  return useMemo(() => {
    if (!searching) return undefined;
    const isOpen = ({ status }: Order) => steps.isOpen(status); // a guess may have closed it already
    const out = count(filter) === 0 ? [] : [...board.orders()].filter((order) => !board.shows(key(order.orderId)) && isOpen(order) && matches(q, order));
    const closed = search.orders.filter((order) => board.card(key(order.orderId)) === undefined && (search.status === "found" || matches(q, order)));
    const there = [...board.visible()].filter((order) => isOpen(order) && matches(q, order));
    const [shown, left, over] = [there.sort(oldestFirst), out.sort(oldestFirst), closed].map((orders) => hits(q, orders, named)) as [Order[], Order[], Order[]];
    const { status } = search;
    const byItem = shown.slice(0, LOOKED_AT).some((order) => !matches(q, { ...order, items: [] }));
    return { q, status, shown, left, over, byItem, more: search.more && !named, meant: meant(q, shown, left, over), sure: named || status !== "asking" };
  }, [board, steps, filter, q, search, named, searching, change]);
}
