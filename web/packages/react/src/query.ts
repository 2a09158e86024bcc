/** For those who keep what the server says in TanStack Query: the same orders as queries that stay current. */

import { key, Problem, type Id, type Order, type OrdercastClient, type OrderFilter, type Subscription } from "@ordercast/client";
import { queryOptions, type Query, type QueryClient } from "@tanstack/react-query";

const ROOT = "ordercast";
const LIMIT = 500; // as a live list's
const PAGE = 500; // as many as the server gives

/** What the server refuses, it refuses again: only what may pass is asked for once more, as often as TanStack Query does. */
function retry(failures: number, error: Error): boolean {
  if (error instanceof Problem && error.status < 500 && error.status !== 429) return false;
  return failures < ("window" in globalThis ? 3 : 0); // a server that renders does not wait
}

/** For `useQuery`: one order. */
export const orderQuery = (client: OrdercastClient, id: Id) =>
  queryOptions({
    queryKey: [ROOT, "order", key(id)] as const,
    queryFn: (): Promise<Order> => client.getOrder(id),
    staleTime: Infinity, // what changes is told
    retry,
  });

/** For `useQuery`: orders, newest first. */
export const ordersQuery = (client: OrdercastClient, filter: OrderFilter = {}) =>
  queryOptions({
    queryKey: [ROOT, "orders", plain(filter)] as const,
    queryFn: (): Promise<readonly Order[]> => listed(client, filter),
    staleTime: Infinity,
    retry,
  });

/** Filters that say the same are the same query. */
const plain = ({ status, customerId, limit }: OrderFilter): OrderFilter => ({
  status: status === undefined ? status : [...new Set([status].flat())].sort(),
  customerId: customerId === undefined ? customerId : key(customerId),
  limit,
});

/**
 * Keeps the queries above current while somebody uses them; returns what ends that. Once per `QueryClient`:
 * `useEffect(() => keepQueriesLive(client, queryClient), [client, queryClient])`.
 */
export function keepQueriesLive(client: OrdercastClient, queryClient: QueryClient): () => void {
  const watched = new Map<string, Told>();
  const cache = queryClient.getQueryCache();

  function look(query: Query): void {
    const [root, kind, what] = query.queryKey;
    if (root !== ROOT) return;
    const used = query.getObserversCount() > 0;
    if (!used) {
      watched.get(query.queryHash)?.end();
      watched.delete(query.queryHash);
    } else if (!watched.has(query.queryHash)) {
      watched.set(query.queryHash, kind === "order" ? watchOrder(query, what as string) : watchOrders(query, what as OrderFilter));
    }
  }

  function watchOrder(query: Query, id: string): Told {
    return told(client.watchOrder(id), ({ order, complete, error }) => {
      if (order !== undefined && complete) queryClient.setQueryData(query.queryKey, order);
      // It is somebody else's now: not to be shown any more, and asked for once, for the reason.
      else if (isGone(error) && query.state.data !== undefined) void queryClient.resetQueries({ queryKey: query.queryKey, exact: true });
    });
  }

  function watchOrders(query: Query, filter: OrderFilter): Told {
    return told(client.watchOrders(filter), ({ orders, complete }) => {
      if (complete) queryClient.setQueryData(query.queryKey, orders);
    });
  }

  for (const query of cache.getAll()) look(query);
  const stop = cache.subscribe((event) => {
    if (event.type === "observerAdded" || event.type === "observerRemoved" || event.type === "removed") look(event.query);
    // An answer may be older than what was told while it was under way.
    else if (event.type === "updated" && event.action.type === "success" && !event.action.manual) watched.get(event.query.queryHash)?.tell();
  });
  return () => {
    stop();
    for (const { end } of watched.values()) end();
    watched.clear();
  };
}

const isGone = (error: Error | undefined): boolean => error instanceof Problem && error.status === 404;

/** A subscription of a query's. */
interface Told {
  /** Tells the query how it stands. */
  readonly tell: () => void;
  readonly end: () => void;
}

function told<State>(subscription: Subscription<State>, take: (state: State) => void): Told {
  const tell = () => take(subscription.current);
  subscription.subscribe(tell);
  tell();
  return { tell, end: subscription.unsubscribe };
}

/** The pages of a list. What is told while they come is told to the query again. */
async function listed(client: OrdercastClient, { limit = LIMIT, ...filter }: OrderFilter): Promise<readonly Order[]> {
  const orders: Order[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listOrders({ ...filter, limit: Math.min(PAGE, limit - orders.length), cursor });
    orders.push(...page.orders);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && orders.length < limit);
  return orders;
}
