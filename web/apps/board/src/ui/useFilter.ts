/** Shows of the board what the URL asks for. */

import type { Order } from "@ordercast/client";
import { useEffect, useMemo } from "react";
import { address, useAddress } from "../model/address.ts";
import { clock } from "../model/clock.ts";
import { fromUrl, isEverything, lets, toUrl, type Filter } from "../parts/filters.ts";
import type { Desk } from "./context.ts";

export function useFilter({ board, steps, me, targets }: Pick<Desk, "board" | "steps" | "me" | "targets">): [Filter, (filter: Filter) => void] {
  const params = useAddress();
  const filter = useMemo(() => fromUrl(params), [params]);
  useEffect(() => {
    if (isEverything(filter)) return board.filter(undefined);
    const around = { targets, me: me.userId, isOpen: (status: string) => steps.isOpen(status) };
    const apply = () => board.filter((order: Order) => lets(filter, order, { ...around, now: clock.now() }));
    apply();
    return filter.late ? clock.subscribe(apply) : undefined; // an order is late without changing
  }, [board, steps, me, targets, filter]);
  return [filter, change];
}

const change = (filter: Filter): void => address.change(toUrl(filter, address.params()));
