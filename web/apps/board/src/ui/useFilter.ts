/** Shows of the board what the URL asks for, and asks the server for closed orders that fit. */

import type { Order, OrdercastClient } from "@ordercast/client";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { address, useAddress } from "../model/address.ts";
import { clock } from "../model/clock.ts";
import { oldestFirst } from "../model/columns.ts";
import { fromUrl, isEverything, lets, toUrl, type Filter } from "../parts/filters.ts";
import { byFit, isNamed } from "../parts/hits.ts";
import { useSearch, type Search } from "../parts/useSearch.ts";
import type { Desk } from "./context.ts";

export interface Finding {
  readonly filter: Filter;
  readonly setFilter: (filter: Filter) => void;
  /** What the server has of closed orders. On a wall nobody asks. */
  readonly search: Search;
  /** Whether the text is some order's very number or reference, open or closed. */
  readonly named: boolean;
}

export function useFilter(client: OrdercastClient, { board, steps, me, targets, wall }: Pick<Desk, "board" | "steps" | "me" | "targets" | "wall">): Finding {
  const params = useAddress();
  const filter = useMemo(() => fromUrl(params), [params]);
  const closed = useMemo(() => steps.closed.map(({ name }) => name), [steps]);
  const search = useSearch(client, wall ? "" : filter.q, closed);
  const named = useSyncExternalStore(board.onAny, () => isNamed(filter.q, board.orders(), search.orders));
  const compare = useMemo(() => (filter.q === "" ? undefined : byFit(filter.q, oldestFirst)), [filter.q]);
  useEffect(() => {
    if (isEverything(filter)) return board.filter(undefined);
    const around = { targets, me: me.userId, isOpen: (status: string) => steps.isOpen(status), named };
    const apply = () => board.filter((order: Order) => lets(filter, order, { ...around, now: clock.now() }), compare);
    apply();
    return filter.late ? clock.subscribe(apply) : undefined; // an order is late without changing
  }, [board, steps, me, targets, filter, named, compare]);
  return { filter, setFilter, search, named };
}

const setFilter = (filter: Filter): void => address.change(toUrl(filter, address.params()));
