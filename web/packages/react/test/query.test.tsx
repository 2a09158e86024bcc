import { QueryClient, QueryClientProvider, QueryObserver, useQuery } from "@tanstack/react-query";
import { act, StrictMode, useEffect, type ReactNode } from "react";
import { createRoot } from "test-renderer";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { found, setUp, WORKFLOW, type Answer } from "../../client/test/fakes.ts";
import { order } from "../../client/test/orders.ts";
import { keepQueriesLive, orderQuery, ordersQuery } from "../src/query.ts";

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("keeps queries current while they are used", async () => {
  const { client, socket } = setUp((path) => {
    if (path === "workflow") return WORKFLOW;
    return found(path.startsWith("orders?") ? { orders: [order()], next: null, position: 101 } : order());
  });
  const queryClient = new QueryClient();
  const Shown = (): ReactNode => {
    useEffect(() => keepQueriesLive(client, queryClient), []);
    const one = useQuery(orderQuery(client, 17));
    const many = useQuery(ordersQuery(client));
    return <p>{`${one.data?.status} ${many.data?.map(({ status }) => status).join()}`}</p>;
  };
  const root = createRoot();
  const settle = () => act(async () => void (await vi.advanceTimersByTimeAsync(50)));
  await act(async () => root.render(<StrictMode><QueryClientProvider client={queryClient}><Shown /></QueryClientProvider></StrictMode>));
  client.connect();
  await socket.accept();
  await settle();
  const text = () => JSON.stringify(root.container.children.map((child) => (typeof child === "string" ? child : child.toJSON()?.children)).flat());
  expect(text()).toBe('["received received"]');
  await act(async () => socket.hear("order:updated", { orderId: 17, status: "accepted", updatedAt: "2026-01-01T00:01:00.000Z", version: 2, position: 102 }));
  await settle();
  expect(text()).toBe('["accepted accepted"]');
  await act(async () => root.unmount());
  expect(socket.said.at(-1)).toEqual(["unwatch:order", "17"]);
});

const updated = (version: number, status: string) => ({ orderId: 17, status, updatedAt: "2026-01-01T00:01:00.000Z", version, position: 100 + version });
const turn = () => vi.advanceTimersByTimeAsync(50);

it("shows no answer that is older than what was told meanwhile", async () => {
  const late: ((answer: Answer) => void)[] = [];
  const { client, socket, asked } = setUp((path) => (path === "workflow" ? WORKFLOW : new Promise((resolve) => void late.push(resolve))));
  const queryClient = new QueryClient();
  const stop = keepQueriesLive(client, queryClient);
  const one = new QueryObserver(queryClient, orderQuery(client, 17));
  const many = new QueryObserver(queryClient, ordersQuery(client, { status: ["received", "accepted"] }));
  const ends = [one.subscribe(() => undefined), many.subscribe(() => undefined)];
  client.connect();
  await turn();
  const old = order();
  const answerAll = async () => {
    const paths = asked.filter((path) => path !== "workflow");
    for (const path of paths.slice(paths.length - late.length)) {
      late.shift()!(found(path.startsWith("orders?") ? { orders: [old], next: null, position: 101 } : old));
    }
    await turn();
  };
  while (late.length > 0) await answerAll();
  await socket.accept();
  socket.hear("caught_up", { position: 101 });
  void one.refetch();
  void many.refetch();
  await turn();
  socket.hear("order:updated", updated(2, "accepted"));
  await turn();
  const shown = () => [one.getCurrentResult().data?.status, many.getCurrentResult().data?.map(({ status }) => status).join()];
  expect(shown()).toEqual(["accepted", "accepted"]);
  expect(late).toHaveLength(2);
  await answerAll();
  expect(one.getCurrentResult().isFetching || many.getCurrentResult().isFetching).toBe(false);
  expect(shown()).toEqual(["accepted", "accepted"]);
  for (const end of ends) end();
  stop();
});

it("shows no order that has become somebody else's", async () => {
  let mine = true;
  const { client, socket, asked } = setUp((path) => {
    if (path === "workflow") return WORKFLOW;
    return mine ? found(order()) : { status: 404, body: { type: "urn:ordercast:not-found", detail: "not yours" } };
  });
  const queryClient = new QueryClient();
  const stop = keepQueriesLive(client, queryClient);
  const one = new QueryObserver(queryClient, orderQuery(client, 17));
  const end = one.subscribe(() => undefined);
  client.connect();
  await socket.accept();
  await turn();
  expect(one.getCurrentResult().data?.status).toBe("received");
  mine = false;
  const before = asked.length;
  socket.hear("order:gone", { orderId: 17, version: 2, position: 102 });
  await turn();
  expect(one.getCurrentResult().data).toBeUndefined();
  expect(one.getCurrentResult().error?.message).toBe("not yours");
  expect(asked.length - before).toBe(1);
  end();
  stop();
});

it.each([
  ["what is refused once", 404, 1],
  ["what may pass again", 503, 4],
])("asks for %s", async (_, status, times) => {
  vi.stubGlobal("window", globalThis); // as browsers and React Native have it
  const { client, asked } = setUp(() => ({ status, body: { detail: "no" } }));
  const queryClient = new QueryClient();
  const queries = [orderQuery(client, 99), ordersQuery(client)].map((query) => queryClient.fetchQuery(query as ReturnType<typeof orderQuery>).catch((error: Error) => error.message));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await Promise.all(queries)).toEqual(["no", "no"]);
  expect(asked.filter((path) => path === "orders/99")).toHaveLength(times);
  expect(asked.filter((path) => path.startsWith("orders?"))).toHaveLength(times);
});

it("has one query for an order and for a filter, however they are written", () => {
  const { client } = setUp(() => WORKFLOW);
  const { queryKey } = ordersQuery(client, { status: ["accepted", "received"], customerId: 42 });
  expect(ordersQuery(client, { customerId: "42", status: ["received", "accepted"] }).queryKey).toEqual(queryKey);
  expect(ordersQuery(client, { status: "ready" }).queryKey).toEqual(ordersQuery(client, { status: ["ready"] }).queryKey);
  expect(orderQuery(client, 42).queryKey).toEqual(orderQuery(client, "42").queryKey);
});

it("brings all pages of a list, and no more than was asked for", async () => {
  const { client, asked } = setUp((path) => {
    const [from, limit] = [/cursor=(\d+)/, /limit=(\d+)/].map((part) => Number(part.exec(path)?.[1] ?? 0)) as [number, number];
    const orders = Array.from({ length: limit }, (_, index) => order({ orderId: from + index }));
    return found({ orders, next: `${from + limit}`, position: 1 });
  });
  const orders = await new QueryClient().fetchQuery(ordersQuery(client, { limit: 1_200 }));
  expect(new Set(orders.map(({ orderId }) => orderId)).size).toBe(1_200);
  expect(asked.map((path) => /limit=(\d+)/.exec(path)?.[1])).toEqual(["500", "500", "200"]);
});
