import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { act, StrictMode, useEffect, type ReactNode } from "react";
import { createRoot } from "test-renderer";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { found, setUp, WORKFLOW } from "../../client/test/fakes.ts";
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
