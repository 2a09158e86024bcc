/** What components ask for. */

import {
  IDLE,
  key,
  Problem,
  type Connection,
  type Id,
  type Order,
  type OrderFilter,
  type OrdersState,
  type OrderState,
  type Subscription,
} from "@ordercast/client";
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useHeld } from "./held.ts";
import { Guesses } from "./optimistic.ts";
import { useOrdercast } from "./provider.tsx";

const NO_ORDER: OrderState = { order: undefined, complete: false, error: undefined };
const NO_ORDERS: OrdersState = { orders: [], complete: false, error: undefined };
const nothing = () => undefined;
/** What is watched where there is no id. */
const NONE: Subscription<OrderState> = { current: NO_ORDER, subscribe: () => nothing, unsubscribe: nothing };

/** An order that keeps itself current while the component is there; none where there is no id yet. */
export function useOrder(id: Id | null | undefined): OrderState {
  const client = useOrdercast();
  const open = () => (id == null ? NONE : client.watchOrder(id));
  return useHeld(open, NO_ORDER, showOrder, Guesses.of(client), [client, id == null ? null : key(id)]);
}

/** A live list, newest first. Filters that say the same are the same. */
export function useOrders(filter: OrderFilter = {}): OrdersState {
  const client = useOrdercast();
  return useHeld(() => client.watchOrders(filter), NO_ORDERS, showOrders, Guesses.of(client), [client, JSON.stringify(filter)]);
}

/** How live it is: `live`, `resuming`, `polling` or `offline`, with `lastSyncedAt`. */
export function useConnection(): Connection {
  const client = useOrdercast();
  return useSyncExternalStore(client.onConnection, () => client.connection, () => IDLE);
}

export interface StatusChange {
  /**
   * Asks for the next status, and shows it everywhere until the answer is there. Never rejects: resolves to `undefined`
   * where it failed, for which see `error`.
   */
  readonly changeStatus: (status: string, options?: { reason?: string | undefined }) => Promise<Order | undefined>;
  readonly pending: boolean;
  /** Why the last one failed; `undefined` once the next is asked for. */
  readonly error: Error | undefined;
  /** Whether that was because the order had moved on meanwhile (409); it is shown as it is now. */
  readonly conflict: boolean;
}

/** Changes the status of an order that `useOrder` or `useOrders` gave. */
export function useChangeStatus(order: Order | undefined): StatusChange {
  const client = useOrdercast();
  const id = order && key(order.orderId);
  const [last, set] = useState<Outcome>(NO_OUTCOME);
  const { pending, error } = last.of === id ? last : NO_OUTCOME; // another order's is not this one's
  const latest = useRef(order);
  const number = useRef(0);
  useEffect(() => {
    latest.current = order;
  });
  const changeStatus = useCallback(
    async (status: string, { reason }: { reason?: string | undefined } = {}): Promise<Order | undefined> => {
      const shown = latest.current;
      if (shown === undefined) return undefined; // there is nothing to press yet
      const of = key(shown.orderId);
      const mine = ++number.current;
      const done = (error: Error | undefined) => mine === number.current && set({ of, pending: false, error });
      set({ of, pending: true, error: undefined });
      const guesses = Guesses.of(client);
      const takeBack = guesses.make(shown, status);
      return guesses.inTurn(shown, async (order) => {
        try {
          const changed = await client.changeStatus(order.orderId, status, { expectedVersion: order.version, reason });
          takeBack();
          done(undefined);
          return changed;
        } catch (reason) {
          const error = reason instanceof Error ? reason : new Error(String(reason));
          if (isConflict(error)) await client.getOrder(order.orderId).catch(() => undefined); // and with it what is shown
          takeBack();
          done(error);
          return undefined;
        }
      });
    },
    [client],
  );
  return { changeStatus, pending, error, conflict: isConflict(error) };
}

/** How the last change went, and of which order. */
interface Outcome {
  readonly of: string | undefined;
  readonly pending: boolean;
  readonly error: Error | undefined;
}

const NO_OUTCOME: Outcome = { of: undefined, pending: false, error: undefined };

const isConflict = (error: Error | undefined): boolean => error instanceof Problem && error.status === 409;

const showOrder = (guesses: Guesses) => {
  let last: OrderState | undefined;
  return (state: OrderState): OrderState => {
    if (state.order === undefined) return state;
    const order = guesses.shown(state.order);
    if (order === state.order) return state;
    if (last?.order !== order || last.complete !== state.complete) last = { ...state, order };
    return last;
  };
};

const showOrders = (guesses: Guesses) => {
  let last: OrdersState | undefined;
  return (state: OrdersState): OrdersState => {
    if (guesses.none) return state;
    const orders = state.orders.map((order) => guesses.shown(order));
    if (orders.every((order, index) => order === state.orders[index])) return state;
    const same =
      last?.complete === state.complete && last.error === state.error && last.orders.length === orders.length && orders.every((order, index) => order === last?.orders[index]);
    if (!same) last = { ...state, orders };
    return last as OrdersState;
  };
};
