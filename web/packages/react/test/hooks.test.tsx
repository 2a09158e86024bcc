/** In Node.js, without a DOM: as React Native is. */

import { Problem, type ClientOptions, type Order } from "@ordercast/client";
import { act, StrictMode, type ReactNode } from "react";
import { createRoot, type Root } from "test-renderer";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeSocket, found, setUp, WORKFLOW, type Answer } from "../../client/test/fakes.ts";
import { order } from "../../client/test/orders.ts";
import { OrdercastProvider, useChangeStatus, useConnection, useOrder, useOrders, type StatusChange } from "../src/index.ts";
import { Guesses } from "../src/optimistic.ts";

let state: Order;
let changing: ((body: unknown) => Answer | Promise<Answer>) | undefined;
/** GET finds the order, PATCH of it asks `changing`: both have the same path. */
const answer = (path: string, body: unknown): Answer | Promise<Answer> => {
  if (path === "workflow") return WORKFLOW;
  if (path.startsWith("orders?")) return found({ orders: [state], next: null, position: 101 });
  if (path !== "orders/17") return { status: 404, body: { title: "Not found", detail: "There is no such order." } };
  const change = changing;
  changing = undefined;
  return change === undefined ? found(state) : change(body);
};
const updated = (version: number, status: string) => ({ orderId: 17, status, updatedAt: "2026-01-01T00:01:00.000Z", version, position: 100 + version });

let root: Root;
beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.useFakeTimers();
  state = order();
  changing = undefined;
  root = createRoot();
});
afterEach(async () => {
  await act(async () => root.unmount());
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const render = (element: ReactNode) => act(async () => root.render(<StrictMode>{element}</StrictMode>));
const does = <T,>(what: () => T | Promise<T>) =>
  act(async () => {
    await what();
    await vi.advanceTimersByTimeAsync(0);
  });
const text = (): string => JSON.stringify(root.container.children.map((child) => (typeof child === "string" ? child : child.toJSON()?.children)).flat());

function Status({ id = 17 as number | string }): ReactNode {
  const { order, complete, error } = useOrder(id);
  const { status } = useConnection();
  if (error !== undefined) return <p>{error instanceof Problem ? error.status : "?"}</p>;
  return <p>{`${order?.status ?? "nothing"} ${complete ? "whole" : "partly"} ${status}`}</p>;
}

describe("under StrictMode", () => {
  it("shows an order as it moves, watches it once and lets it go", async () => {
    const { client, socket } = setUp(answer);
    await render(<OrdercastProvider client={client}><Status /><Status id="17" /></OrdercastProvider>);
    expect(text()).toBe('["received whole offline","received whole offline"]');
    await does(() => client.connect());
    await does(() => socket.accept());
    expect(text()).toBe('["received whole live","received whole live"]');
    expect(socket.said.filter(([name]) => name === "watch:order")).toHaveLength(1);
    await does(() => socket.hear("order:updated", updated(2, "accepted")));
    expect(text()).toBe('["accepted whole live","accepted whole live"]');
    await render(<OrdercastProvider client={client}><Status id={99} /></OrdercastProvider>);
    await does(() => undefined);
    expect(text()).toBe('["404"]');
    expect(socket.said).toContainEqual(["unwatch:order", "17"]);
  });

  it("watches nothing where there is no id yet", async () => {
    const { client, socket, asked } = setUp(answer);
    const Selected = ({ id }: { id: number | undefined }): ReactNode => <p>{JSON.stringify(useOrder(id))}</p>;
    const shown = (id?: number) => render(<OrdercastProvider client={client}><Selected id={id} /></OrdercastProvider>);
    await shown();
    await does(() => client.connect());
    await does(() => socket.accept());
    expect(asked).toEqual(["workflow"]);
    expect(text()).toContain("complete\\\":false");
    await shown(17);
    await does(() => undefined);
    expect(text()).toContain("received");
    await shown();
    expect(text()).not.toContain("received");
    expect(socket.said).toEqual([["watch:order", "17"], ["unwatch:order", "17"]]);
  });

  it("gives the same list until something changes", async () => {
    const { client, socket } = setUp(answer);
    const seen = new Set<unknown>();
    const List = ({ tick }: { tick: number }): ReactNode => {
      const { orders } = useOrders({ status: ["received"] }); // another object with each render
      seen.add(orders);
      return <p>{`${tick}: ${orders.length}`}</p>;
    };
    const shown = (tick: number) => render(<OrdercastProvider client={client}><List tick={tick} /></OrdercastProvider>);
    await shown(1);
    await does(() => client.connect());
    await does(() => socket.accept());
    const { size } = seen;
    await shown(2);
    await shown(3);
    expect(text()).toBe('["3: 1"]');
    expect(seen.size).toBe(size);
    await does(() => socket.hear("order:updated", updated(2, "accepted")));
    expect(text()).toBe('["3: 0"]');
  });

  it("connects while it is there, with the token as it is then, and tries at once in front", async () => {
    const sockets: FakeSocket[] = []; // StrictMode makes two clients, and uses one
    let appState: (state: string) => void = () => undefined;
    const AppState = { addEventListener: (_: "change", listener: typeof appState) => ((appState = listener), { remove: () => undefined }) };
    const options: Omit<ClientOptions, "token"> = {
      openSocket: (how) => {
        const socket = new FakeSocket(how);
        sockets.push(socket);
        return socket;
      },
      fetch: async () => Promise.reject(new Error("unreachable")),
    };
    const app = (token: string) => (
      <OrdercastProvider url="https://shop.example" token={() => token} AppState={AppState} {...options}>
        <Status />
      </OrdercastProvider>
    );
    await render(app("first"));
    const [socket, ...others] = sockets.filter(({ tries }) => tries > 0) as [FakeSocket];
    expect(others).toEqual([]);
    const { tries } = socket;
    await render(app("second"));
    await does(() => socket.refuse("Invalid token")); // it asks for another
    let showed: Record<string, unknown> = {};
    await does(async () => (showed = await socket.accept()));
    expect(showed).toMatchObject({ token: "second" });
    await does(() => socket.drop("transport close"));
    await does(() => appState("active"));
    expect(socket.tries).toBeGreaterThan(tries);
    await act(async () => root.unmount());
    expect(socket.connected).toBe(false);
    root = createRoot();
  });

  it("says what is missing outside of a provider", async () => {
    root = createRoot({ onUncaughtError: () => undefined });
    await expect(render(<Status />)).rejects.toThrow("OrdercastProvider");
    root = createRoot();
  });
});

describe("a change", () => {
  async function board() {
    const { client, socket } = setUp(answer);
    let change!: StatusChange;
    const Board = (): ReactNode => {
      const { order } = useOrder(17);
      const { orders } = useOrders();
      change = useChangeStatus(order);
      return <p>{`${order?.status} ${orders[0]?.status} ${change.pending ? "pending" : "settled"} ${change.conflict ? "conflict" : (change.error?.message ?? "fine")}`}</p>;
    };
    await render(<OrdercastProvider client={client}><Board /></OrdercastProvider>);
    await does(() => client.connect());
    await does(() => socket.accept());
    expect(text()).toBe('["received received settled fine"]');
    return { socket, change: (status: string) => does(() => void change.changeStatus(status)) };
  }

  it("is shown before the answer, everywhere, and stays", async () => {
    const { change, socket } = await board();
    let answered!: (answer: Answer) => void;
    changing = () => new Promise((resolve) => (answered = resolve));
    await change("accepted");
    expect(text()).toBe('["accepted accepted pending fine"]');
    await does(() => answered(found((state = order({ status: "accepted", version: 2 })))));
    expect(text()).toBe('["accepted accepted settled fine"]');
    await does(() => socket.hear("order:updated", updated(3, "preparing")));
    expect(text()).toBe('["preparing preparing settled fine"]');
  });

  it("waits for the one before it, and is shown meanwhile", async () => {
    const { change, socket } = await board();
    let answered!: (answer: Answer) => void;
    changing = () => new Promise((resolve) => (answered = resolve));
    await change("accepted");
    await change("preparing");
    expect(text()).toBe('["preparing preparing pending fine"]');
    await does(() => socket.hear("order:updated", updated(2, "accepted"))); // before its answer
    expect(text()).toBe('["preparing preparing pending fine"]');
    const asked: unknown[] = [];
    changing = (body) => (asked.push(body), found((state = order({ status: "preparing", version: 3 }))));
    await does(() => answered(found((state = order({ status: "accepted", version: 2 })))));
    expect(asked).toEqual([{ status: "preparing", expectedVersion: 2 }]);
    expect(text()).toBe('["preparing preparing settled fine"]');
  });

  it("of an order that is not shown by a hook is shown by those that are, the newest of several", () => {
    const guesses = new Guesses();
    const [first, second] = ["accepted", "cancelled"].map((status) => guesses.make(order(), status));
    expect(guesses.shown(order()).status).toBe("cancelled");
    second!();
    expect(guesses.shown(order()).status).toBe("accepted");
    first!();
    expect(guesses.shown(order()).status).toBe("received");
  });

  it("gives way to what has happened meanwhile, and says so", async () => {
    const { change } = await board();
    changing = () => {
      state = order({ status: "cancelled", version: 2 });
      return { status: 409, body: { title: "Conflict", detail: "The order has moved on." } };
    };
    await change("accepted");
    expect(text()).toBe('["cancelled cancelled settled conflict"]');
  });

  it("of one order says nothing of another that takes its place", async () => {
    const { client } = setUp(answer);
    let change!: StatusChange;
    const Details = ({ of }: { of: Order }): ReactNode => {
      change = useChangeStatus(of);
      return <p>{`${change.pending ? "pending" : "settled"} ${change.error?.message ?? "fine"}`}</p>;
    };
    const show = (orderId: number) => render(<OrdercastProvider client={client}><Details of={order({ orderId })} /></OrdercastProvider>);
    let answered!: (answer: Answer) => void;
    changing = () => new Promise((resolve) => (answered = resolve));
    await show(17);
    await does(() => void change.changeStatus("accepted"));
    expect(text()).toBe('["pending fine"]');
    await show(18);
    expect(text()).toBe('["settled fine"]');
    await does(() => answered({ status: 403, body: { title: "Forbidden", detail: "Operators only." } }));
    expect(text()).toBe('["settled fine"]');
    await show(17);
    expect(text()).toBe('["settled Operators only."]');
  });

  it("is taken back where it failed", async () => {
    const { change } = await board();
    changing = () => ({ status: 403, body: { title: "Forbidden", detail: "Operators only." } });
    await change("accepted");
    expect(text()).toBe('["received received settled Operators only."]');
    await change("accepted"); // and another try begins without the error
    expect(text()).not.toContain("Operators only.");
  });
});
