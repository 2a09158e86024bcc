/** In Node.js, as a server that renders pages. */

import { act, StrictMode, type ReactNode } from "react";
import { renderToString } from "react-dom/server";
import { createRoot } from "test-renderer";
import { afterEach, expect, it, vi } from "vitest";
import { FakeSocket } from "../../client/test/fakes.ts";
import { OrdercastProvider, useChangeStatus, useConnection, useOrder, useOrders } from "../src/index.ts";

afterEach(() => void vi.unstubAllGlobals());

const sockets: FakeSocket[] = [];
const options = {
  token: vi.fn(() => "t"),
  fetch: vi.fn(() => Promise.reject(new Error("nothing is asked"))),
  openSocket: (how: ConstructorParameters<typeof FakeSocket>[0]) => (sockets.push(new FakeSocket(how)), sockets.at(-1)!),
};

function Page(): ReactNode {
  const { order, complete } = useOrder("17");
  const { orders } = useOrders({ status: ["received"] });
  const { status } = useConnection();
  const { pending } = useChangeStatus(order);
  return <p>{`${order?.status ?? "nothing"} ${complete} ${orders.length} ${status} ${pending}`}</p>;
}

it.each([{ url: "https://shop.example" }, {}])("is rendered as what is not there yet, and asks nobody (%o)", (where) => {
  const page = renderToString(<StrictMode><OrdercastProvider {...where} {...options}><Page /></OrdercastProvider></StrictMode>);
  expect(page).toBe("<p>nothing false 0 offline false</p>");
  expect(sockets.length).toBeGreaterThan(0);
  expect(sockets.splice(0).map(({ tries }) => tries)).not.toContain(1);
  expect(options.token).not.toHaveBeenCalled();
  expect(options.fetch).not.toHaveBeenCalled();
});

it("says what is missing where it would connect to nowhere", async () => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  const root = createRoot({ onUncaughtError: () => undefined });
  await expect(act(async () => root.render(<OrdercastProvider {...options}><p>here</p></OrdercastProvider>))).rejects.toThrow("say where the server is");
});
