// @vitest-environment happy-dom
import type { Order } from "@ordercast/client";
import { useOrdercast } from "@ordercast/react";
import { act, cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState, type ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { serve } from "./fakeClient.tsx";
import { Filters } from "./Filters.tsx";
import { EVERYTHING, type Filter } from "./filters.ts";
import { order, WORKFLOW } from "./sample.ts";
import { SearchField } from "./SearchField.tsx";
import { useSearch } from "./useSearch.ts";

beforeEach(() => void vi.useFakeTimers({ shouldAdvanceTime: true }));
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});
const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTime(ms) });
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

const CLOSED = ["delivered", "cancelled"];
function Search(): ReactNode {
  const [q, setQ] = useState("");
  const found = useSearch(useOrdercast(), q, CLOSED);
  return (
    <>
      <SearchField q={q} onChange={setQ} />
      <p role="status">{found.status}</p>
      <button onClick={found.again}>again</button>
      <ul>
        {found.orders.map(({ orderId }) => (
          <li key={orderId}>{orderId}</li>
        ))}
      </ul>
    </>
  );
}
const page = (...orders: Order[]) => ({ orders, next: null, position: 1 });
const asking = (q: string) => `GET orders?q=${q}&limit=30&status=delivered%2Ccancelled`;
const closed = (orderId: number, over: Partial<Order> = {}) => order({ orderId, status: "delivered", ...over });
const status = () => screen.getByRole("status").textContent;
const listed = () => screen.queryAllByRole("listitem").map((item) => item.textContent);
const asked = (shop: ReturnType<typeof serve>) => shop.asked.map(({ what }) => what);

it("asks for closed orders, once one stops typing", async () => {
  const shop = serve({ [asking("pizza")]: page(closed(2)) });
  shop.show(<Search />);
  expect(status()).toBe("idle");
  await user().type(screen.getByRole("searchbox", { name: "Search orders" }), " #pizza ");
  expect([shop.asked, status()]).toEqual([[], "asking"]);
  await pass(300);
  expect(asked(shop)).toEqual([asking("pizza")]);
  expect([listed(), status()]).toEqual([["2"], "found"]);
  await user().click(screen.getByRole("button", { name: "again" }));
  await pass(300);
  expect(asked(shop)).toHaveLength(2);
  await user().click(screen.getByRole("button", { name: "Clear" }));
  expect([listed(), status()]).toEqual([[], "idle"]);
});

it("drops an answer to what was typed before", async () => {
  const answers: Record<string, (page: unknown) => void> = {};
  const later = (name: string) => () => new Promise((resolve) => (answers[name] = resolve));
  const shop = serve({ [asking("a")]: later("a"), [asking("ab")]: later("ab") });
  shop.show(<Search />);
  const field = screen.getByRole("searchbox");
  await user().type(field, "a");
  await pass(300);
  await user().type(field, "b");
  await pass(300);
  await act(async () => answers.ab!(page(closed(22))));
  await act(async () => answers.a!(page(closed(33))));
  expect(listed()).toEqual(["22"]);
});

it("finds the order of that very number behind more that have it somewhere", async () => {
  const many = { ...page(closed(170), closed(171)), next: "more" };
  const shop = serve({ [asking("17")]: many, "GET orders/17": closed(17), [asking("18")]: many, "GET orders/18": order({ orderId: 18 }), [asking("170")]: many, [asking("19")]: many });
  shop.show(<Search />);
  const field = screen.getByRole("searchbox");
  const search = async (q: string) => {
    await user().clear(field);
    await user().type(field, q);
    await pass(300);
    return listed();
  };
  expect(await search("17")).toEqual(["17", "170", "171"]);
  expect(await search("18")).toEqual(["170", "171"]); // it is open, and on the board
  expect(await search("170")).toEqual(["170", "171"]);
  expect(await search("19")).toEqual(["170", "171"]); // there is none
  expect(status()).toBe("found");
  expect(asked(shop).filter((what) => what.startsWith("GET orders/"))).toEqual(["GET orders/17", "GET orders/18", "GET orders/19"]);
});

it("says that it could not ask", async () => {
  serve({}).show(<Search />);
  await user().type(screen.getByRole("searchbox"), "#7");
  await pass(300);
  expect(status()).toBe("failed");
});

it("sets and clears each part of the filter", async () => {
  let now: Filter = { ...EVERYTHING, q: "pizza" };
  const Page = (): ReactNode => {
    const [filter, set] = useState(now);
    now = filter;
    return <Filters filter={filter} onChange={set} workflow={WORKFLOW} people={["ben", "me"]} shops={[1, "b"]} />;
  };
  render(<Page />);
  const { click } = user();
  await click(screen.getByRole("button", { name: "Filter" }));
  const group = (name: string) => within(screen.getByRole("radiogroup", { name }));
  expect(screen.queryByRole("checkbox", { name: "Delivered" })).toBeNull();
  await click(screen.getByRole("checkbox", { name: "Received" }));
  await click(screen.getByRole("checkbox", { name: "Late only" }));
  await click(screen.getByRole("checkbox", { name: "Not contacted yet" }));
  await click(group("Claimed by").getByRole("radio", { name: "ben" }));
  await click(group("How it goes out").getByRole("radio", { name: "Pickup" }));
  await click(group("Shop").getByRole("radio", { name: "1" }));
  expect(now).toEqual({ q: "pizza", statuses: ["received"], claimedBy: "ben", fulfilment: "pickup", late: true, shopId: "1", hasNoContact: true });
  await click(group("Claimed by").getByRole("radio", { name: "Any" }));
  expect(now.claimedBy).toBeNull();
  await click(screen.getByRole("button", { name: "Show everything" }));
  expect(now).toEqual({ ...EVERYTHING, q: "pizza" });
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Filter" }));
});
