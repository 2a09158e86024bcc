// @vitest-environment happy-dom
import type { Order } from "@ordercast/client";
import { act, cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState, type ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { serve } from "./fakeClient.tsx";
import { Filters } from "./Filters.tsx";
import { EVERYTHING, type Filter } from "./filters.ts";
import { order, WORKFLOW } from "./sample.ts";
import { Others, SearchField } from "./SearchField.tsx";

beforeEach(() => void vi.useFakeTimers({ shouldAdvanceTime: true }));
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});
const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTime(ms) });
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

const opened: string[] = [];
function Search(): ReactNode {
  const [q, setQ] = useState("");
  return (
    <>
      <SearchField q={q} onChange={setQ} />
      <Others q={q} isShown={(id) => id === "1"} label={(status) => status.toUpperCase()} onOpen={(id) => opened.push(id)} />
    </>
  );
}
const page = (...orders: Order[]) => ({ orders, next: null, position: 1 });
const listed = () => screen.queryAllByRole("listitem").map((item) => item.textContent);

it("finds what the board does not show, once one stops typing", async () => {
  const closed = order({ orderId: 2, status: "delivered", reference: "T-7", contact: { name: "Zoë" } });
  const shop = serve({ "GET orders?q=pizza&limit=30": page(order({ orderId: 1 }), closed) });
  shop.show(<Search />);
  await user().type(screen.getByRole("searchbox", { name: "Search orders" }), "pizza");
  expect(shop.asked).toEqual([]);
  expect(screen.getByRole("status").textContent).toBe("Looking …");
  await pass(300);
  expect(shop.asked.map(({ what }) => what)).toEqual(["GET orders?q=pizza&limit=30"]);
  expect(listed()).toEqual([expect.stringMatching(/^#2 DELIVERED T-7 · Zoë/)]);
  await user().click(screen.getByRole("button", { name: /^#2/ }));
  expect(opened).toEqual(["2"]);
  await user().click(screen.getByRole("button", { name: "Clear the search" }));
  expect(screen.queryByRole("region")).toBeNull();
});

it("drops an answer to what was typed before", async () => {
  const answers: Record<string, (page: unknown) => void> = {};
  const later = (name: string) => () => new Promise((resolve) => (answers[name] = resolve));
  const shop = serve({ "GET orders?q=a&limit=30": later("a"), "GET orders?q=ab&limit=30": later("ab") });
  shop.show(<Search />);
  const field = screen.getByRole("searchbox");
  await user().type(field, "a");
  await pass(300);
  await user().type(field, "b");
  await pass(300);
  await act(async () => answers.ab!(page(order({ orderId: 22 }))));
  await act(async () => answers.a!(page(order({ orderId: 33 }))));
  expect(listed()).toEqual([expect.stringMatching(/^#22 /)]);
});

it("says that it could not ask", async () => {
  serve({}).show(<Search />);
  await user().type(screen.getByRole("searchbox"), "#7");
  await pass(300);
  expect(screen.getByRole("status").textContent).toMatch(/could not be asked/);
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
