/** For those who keep what the server says in TanStack Query: the same orders as queries that stay current. */

import { key, type Id, type Order, type OrdercastClient, type OrderFilter, type Subscription } from "@ordercast/client";
import { queryOptions, type Query, type QueryClient } from "@tanstack/react-query";

const ROOT = "ordercast";

/** For `useQuery`: one order. */
export const orderQuery = (client: OrdercastClient, id: Id) =>
  queryOptions({
    queryKey: [ROOT, "order", key(id)] as const,
    queryFn: (): Promise<Order> => client.getOrder(id),
    staleTime: Infinity, // what changes is told
  });

/** For `useQuery`: orders, newest first. */
export const ordersQuery = (client: OrdercastClient, filter: OrderFilter = {}) =>
  queryOptions({
    queryKey: [ROOT, "orders", filter] as const,
    queryFn: (): Promise<readonly Order[]> => loaded(client, filter),
    staleTime: Infinity,
  });

/**
 * Keeps the queries above current while somebody uses them; returns what ends that. Once per `QueryClient`:
 * `useEffect(() => keepQueriesLive(client, queryClient), [client, queryClient])`.
 */
export function keepQueriesLive(client: OrdercastClient, queryClient: QueryClient): () => void {
  const watched = new Map<string, Subscription<unknown>>();
  const cache = queryClient.getQueryCache();

  function look(query: Query): void {
    const [root, kind, what] = query.queryKey;
    if (root !== ROOT) return;
    const used = query.getObserversCount() > 0;
    if (!used) {
      watched.get(query.queryHash)?.unsubscribe();
      watched.delete(query.queryHash);
    } else if (!watched.has(query.queryHash)) {
      watched.set(query.queryHash, kind === "order" ? watchOrder(query, what as string) : watchOrders(query, what as OrderFilter));
    }
  }

  function watchOrder(query: Query, id: string): Subscription<unknown> {
    const order = client.watchOrder(id);
    return told(order, () => {
      const { order: found, complete } = order.current;
      if (found !== undefined && complete) queryClient.setQueryData(query.queryKey, found);
    });
  }

  function watchOrders(query: Query, filter: OrderFilter): Subscription<unknown> {
    const list = client.watchOrders(filter);
    return told(list, () => {
      if (list.current.complete) queryClient.setQueryData(query.queryKey, list.current.orders);
    });
  }

  for (const query of cache.getAll()) look(query);
  const stop = cache.subscribe((event) => {
    if (event.type === "observerAdded" || event.type === "observerRemoved" || event.type === "removed") look(event.query);
  });
  return () => {
    stop();
    for (const subscription of watched.values()) subscription.unsubscribe();
    watched.clear();
  };
}

function told<State>(subscription: Subscription<State>, tell: () => void): Subscription<State> {
  subscription.subscribe(tell);
  tell();
  return subscription;
}

/** The list as it is once it is loaded. */
function loaded(client: OrdercastClient, filter: OrderFilter): Promise<readonly Order[]> {
  const list = client.watchOrders(filter);
  return new Promise<readonly Order[]>((resolve, reject) => {
    const look = () => {
      const { orders, complete, error } = list.current;
      if (error !== undefined) reject(error);
      else if (complete) resolve(orders);
    };
    list.subscribe(look);
    look();
  }).finally(() => list.unsubscribe());
}
