/** What the board shows and whom it tells, against a feed that is played by hand. */

import { key, Problem, type Order, type OrdersState, type OrdersSubscription } from "@ordercast/client";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { order, WORKFLOW } from "../parts/sample.ts";
import { Doing, type Moved } from "./actions.ts";
import { Board } from "./board.ts";
import { Lateness } from "./lateness.ts";
import { Steps } from "./workflow.ts";

let state: OrdersState;
let tell: () => void;
let board: Board;
const feed: OrdersSubscription = {
  get current() {
    return state;
  },
  subscribe: (listener) => {
    tell = listener;
    return () => undefined;
  },
  unsubscribe: () => undefined,
};
const show = (...orders: Order[]) => {
  state = { orders: [...orders].sort((a, b) => Number(b.orderId) - Number(a.orderId)), complete: true, error: undefined };
  tell();
};
const at = (orderId: number, over: Partial<Order> = {}) => order({ orderId, createdAt: `2026-01-01T00:00:${String(orderId).padStart(2, "0")}.000Z`, ...over });

beforeEach(() => {
  state = { orders: [], complete: false, error: undefined };
  board = new Board(feed, (work) => work);
  show(at(1), at(2), at(3, { status: "ready" }));
});

it("draws one card and its two columns for one change", () => {
  const told: string[] = [];
  for (const id of ["1", "2", "3"]) board.onCard(id, () => told.push(`card ${id}`));
  for (const status of ["received", "ready", "preparing"]) board.onColumn(status, () => told.push(status));
  const [first, , third] = ["1", "2", "3"].map((id) => board.card(id));
  show(at(1), at(2, { status: "ready", version: 2 }), state.orders.find(({ orderId }) => orderId === 3)!);
  expect(told.filter((name) => name !== "card 1").sort()).toEqual(["card 2", "ready", "received"]);
  expect(board.column("ready")).toEqual(["2", "3"]);
  expect(board.card("3")).toBe(third);
  expect(board.card("1")?.order).toEqual(first?.order);
  expect(board.card("2")?.movedAt).toBeTypeOf("number");
  expect(third?.movedAt).toBeUndefined();
});

it("filters as orders come, change and go, and counts all the same", () => {
  board.filter(({ claimedBy }) => claimedBy === "ana");
  expect(board.column("received")).toEqual([]);
  expect(board.total("received")).toBe(2);
  show(at(1, { claimedBy: "ana", version: 2 }), at(2), at(4, { claimedBy: "ana" }));
  expect(board.column("received")).toEqual(["1", "4"]);
  show(at(1, { version: 3 }), at(2), at(4, { claimedBy: "ana" }));
  expect(board.column("received")).toEqual(["4"]);
  const same = board.column("received");
  board.filter(({ claimedBy }) => claimedBy === "ana");
  expect(board.column("received")).toBe(same);
  board.filter(undefined);
  expect(board.column("received")).toEqual(["1", "2", "4"]);
});

it("sorts what a filter lets through as it is told, as orders come and go, and all as ever once there is none", () => {
  const newest = (a: Order, b: Order) => Number(b.orderId) - Number(a.orderId);
  board.filter(({ status }) => status === "received", newest);
  expect(board.column("received")).toEqual(["2", "1"]);
  show(at(1), at(2), at(4));
  expect(board.column("received")).toEqual(["4", "2", "1"]);
  board.filter(({ status }) => status === "received", (a, b) => -newest(a, b));
  expect(board.column("received")).toEqual(["1", "2", "4"]);
  board.filter(undefined);
  expect(board.column("received")).toEqual(["1", "2", "4"]);
});

it("shows a guess until the order is another, or it is taken back", () => {
  const takeBack = board.guess(board.card("1")!.order, { status: "preparing" });
  expect([board.column("received"), board.column("preparing"), board.card("1")?.pending]).toEqual([["2"], ["1"], true]);
  takeBack();
  expect([board.column("received"), board.card("1")?.pending]).toEqual([["1", "2"], false]);
  board.guess(board.card("1")!.order, { status: "preparing" });
  show(at(1, { status: "ready", version: 2 }), at(2));
  expect([board.column("ready"), board.card("1")?.pending]).toEqual([["1"], false]);
});

describe("two guesses, one on the other,", () => {
  const seen = () => [...["received", "preparing", "ready"].filter((status) => board.column(status).includes("1")), board.card("1")?.pending];
  let takeBack: (() => void)[];
  beforeEach(() => {
    takeBack = ["preparing", "ready"].map((status) => board.guess(board.card("1")!.order, { status }));
  });

  it("are shown until the server has said both", () => {
    expect(seen()).toEqual(["ready", true]);
    show(at(1, { status: "preparing", version: 2 }), at(2));
    expect(seen()).toEqual(["ready", true]);
    takeBack[0]!();
    expect(seen()).toEqual(["ready", true]);
    show(at(1, { status: "ready", version: 3 }), at(2));
    expect(seen()).toEqual(["ready", false]);
    takeBack[1]!();
    expect(seen()).toEqual(["ready", false]);
  });

  it("are shown whatever else changes of the order", () => {
    show(at(1, { version: 2, note: "ring twice" }), at(2));
    expect([...seen(), board.card("1")!.order.note]).toEqual(["ready", true, "ring twice"]);
  });

  it("are both gone where the first was refused, or somebody else was faster", () => {
    takeBack[0]!();
    expect(seen()).toEqual(["received", false]);
    board.guess(board.card("1")!.order, { status: "preparing" });
    show(at(1, { status: "cancelled", version: 2 }), at(2));
    expect(seen()).toEqual([false]);
  });

  it("are taken back one by one", () => {
    takeBack[1]!();
    expect(seen()).toEqual(["preparing", true]);
    takeBack[0]!();
    expect(seen()).toEqual(["received", false]);
  });
});

it("goes on showing what was given back, as the server has said who took it, in whichever form", () => {
  for (const claimedBy of ["7", null]) board.guess(board.card("1")!.order, { claimedBy });
  show(at(1, { claimedBy: 7, version: 2 }), at(2));
  expect([board.card("1")!.order.claimedBy, board.card("1")!.pending]).toEqual([null, true]);
});

it("counts who is late in each column", () => {
  const lateness = new Lateness(board, { received: 60 });
  expect([lateness.in("received"), lateness.in("ready")]).toEqual([2, 0]);
});

const conflict = (details: object = {}) => new Problem(409, { detail: "An order that is received cannot become ready.", ...details });
const setUp = (client: object) => {
  const moved = vi.fn<(moved: Moved) => void>();
  const said = vi.fn<(text: string) => void>();
  return { doing: new Doing(client as never, board, new Steps(WORKFLOW), { userId: "ana" }, { moved, said }), moved, said };
};

it("tells who was faster, on the card as it is now", async () => {
  const now = at(1, { status: "preparing", version: 2 });
  const client = {
    changeStatus: () => Promise.reject(conflict()),
    getOrder: async () => (show(now, at(2)), now),
    call: async () => ({ events: [{ kind: "status_changed", updatedBy: "ben" }, { kind: "changed", updatedBy: "eve" }], complete: true }),
  };
  const { doing, moved } = setUp(client);
  await doing.move(at(1), "cancelled");
  expect(board.card("1")?.problem).toBe("Ben was faster: it is preparing now.");
  expect(board.column("preparing")).toEqual(["1"]);
  expect(moved).not.toHaveBeenCalled();
});

it("asks once more where only something else of the order has changed", async () => {
  const asked: unknown[] = [];
  const client = {
    changeStatus: async (_: unknown, status: string, { expectedVersion }: { expectedVersion: number }) => {
      asked.push(expectedVersion);
      if (expectedVersion === 1) throw conflict();
      return at(1, { status, version: 3 });
    },
    getOrder: async () => at(1, { version: 2, note: "second bell" }),
  };
  const { doing, moved } = setUp(client);
  expect(await doing.move(at(1), "preparing")).toBe(true);
  expect(asked).toEqual([1, 2]);
  expect(moved.mock.calls[0]![0]).toMatchObject({ from: "received", to: "preparing" });
});

it("says in words why a claim or a change did not happen", async () => {
  const taken = setUp({ claim: () => Promise.reject(conflict({ claimedBy: "ben" })), getOrder: async () => at(1) });
  await taken.doing.claim(at(1));
  expect(board.card("1")?.problem).toBe("Ben claimed it first.");
  const cut = setUp({ contact: () => Promise.reject(new TypeError("fetch failed")) });
  await cut.doing.contacted(at(2));
  expect(board.card("2")?.problem).toMatch(/cannot be reached, so this was not done/);
  expect(board.card("2")?.order.firstContactAt).toBeNull();
});

it("takes a change that came about for made, where only its answer was lost", async () => {
  const lost = (now: Order | undefined) => () => (show(...[now, at(2)].filter((one) => one !== undefined)), Promise.reject(new TypeError("fetch failed")));
  const made = setUp({ changeStatus: lost(at(1, { status: "preparing", version: 2 })) });
  expect(await made.doing.move(at(1), "preparing")).toBe(true);
  expect(board.card("1")?.problem).toBeUndefined();
  const other = setUp({ claim: lost(at(1, { status: "preparing", claimedBy: "ben", version: 3 })) });
  await other.doing.claim(at(1, { status: "preparing", version: 2 }));
  expect(board.card("1")?.problem).toMatch(/not done/);
  const gone = setUp({ changeStatus: lost(undefined) });
  expect(await gone.doing.move(at(1, { status: "preparing", version: 3 }), "cancelled")).toBe(false);
  expect(gone.said).toHaveBeenCalledWith("Order 1: No answer came from the server; it is not open any more.");
});

it("does not take back what has moved on", async () => {
  const { doing, said } = setUp({});
  const moved = at(3, { status: "preparing" });
  await doing.undo({ order: at(3), from: "received", to: "preparing", at: 0, answered: Promise.resolve(moved) }, "wrong order");
  expect(said).toHaveBeenCalledWith("Order 3 is not taken back: it is ready by now.");
});

/** A server that answers when it is told to. */
function slow() {
  const asked: { status: string; answer: (order: Order) => void; refuse: (why: unknown) => void }[] = [];
  const changeStatus = (_: unknown, status: string) => new Promise<Order>((answer, refuse) => asked.push({ status, answer, refuse }));
  return { asked, client: { changeStatus, getOrder: async () => board.card("1")!.order } };
}
const settle = () => new Promise((done) => setTimeout(done));

it("takes back what was done last, which the server has not answered yet", async () => {
  const { asked, client } = slow();
  const { doing, said } = setUp(client);
  const moving = doing.move(at(1), "preparing");
  const undoing = doing.undo(doing.last!, "pressed by mistake");
  expect(doing.last).toBeUndefined(); // to say so twice takes nothing else back
  await settle();
  expect(asked.map(({ status }) => status)).toEqual(["preparing"]);
  show(at(1, { status: "preparing", version: 2 }), at(2));
  asked[0]!.answer(at(1, { status: "preparing", version: 2 }));
  expect(await moving).toBe(true);
  await settle();
  expect(asked.map(({ status }) => status)).toEqual(["preparing", "received"]);
  asked[1]!.answer(at(1, { version: 3 }));
  await undoing;
  expect(said).toHaveBeenCalledWith("Order 1 is back in Received. Its time there starts again.");
});

it("takes nothing back where the step was refused, and knows the one before", async () => {
  const { asked, client } = slow();
  const { doing } = setUp(client);
  const first = doing.move(at(2), "preparing");
  await settle();
  asked[0]!.answer(at(2, { status: "preparing", version: 2 }));
  await first;
  const before = doing.last;
  const second = doing.move(at(1), "preparing");
  const undoing = doing.undo(doing.last!, "pressed by mistake");
  await settle();
  asked[1]!.refuse(conflict());
  expect(await second).toBe(false);
  await undoing;
  expect(asked).toHaveLength(2);
  expect(doing.last).toBe(before);
});

it("knows no step that was refused, whichever answer comes first", async () => {
  for (const first of [0, 1]) {
    const { asked, client } = slow();
    const { doing } = setUp(client);
    const moving = [doing.move(at(1), "preparing"), doing.move(at(2), "preparing")];
    await settle();
    asked[first]!.refuse(conflict());
    await moving[first];
    expect(doing.last?.order.orderId).toBe(2 - first);
    asked[1 - first]!.refuse(conflict());
    await moving[1 - first];
    expect(doing.last).toBeUndefined();
  }
});

it("asks one thing after the other about an order", async () => {
  const { asked, client } = slow();
  const { doing } = setUp(client);
  const first = doing.move(at(1), "preparing");
  const second = doing.move(board.card("1")!.order, "ready");
  const other = doing.move(at(2), "preparing");
  await settle();
  expect(asked.map(({ status }) => status)).toEqual(["preparing", "preparing"]);
  asked[0]!.answer(at(1, { status: "preparing", version: 2 }));
  await first;
  await settle();
  expect(asked.map(({ status }) => status)).toEqual(["preparing", "preparing", "ready"]);
  asked[1]!.answer(at(2, { status: "preparing", version: 2 }));
  asked[2]!.answer(at(1, { status: "ready", version: 3 }));
  expect([await second, await other]).toEqual([true, true]);
});

it("knows the ways of the workflow", () => {
  const steps = new Steps({ ...WORKFLOW, corrections: true });
  expect(steps.onward(at(1), "operator")).toBe("preparing");
  expect(steps.next(at(1), "customer")).toEqual([]);
  expect(steps.back(at(1, { status: "ready" }), "operator")).toEqual(["preparing"]);
  const again = { from: "preparing", to: "received", roles: ["operator"], fulfilment: null };
  const round = new Steps({ ...WORKFLOW, corrections: true, transitions: [...WORKFLOW.transitions, again] });
  expect(round.next(at(1, { status: "preparing" }), "operator")).toContain("received");
  expect(round.back(at(1, { status: "preparing" }), "operator")).toEqual([]); // it goes on there
  expect(new Steps({ ...WORKFLOW, corrections: false }).back(at(1, { status: "ready" }), "operator")).toEqual([]);
  expect(steps.open.map(({ name }) => name)).toEqual(["received", "preparing", "ready"]);
  expect(key(board.in("ready")[0]!.orderId)).toBe("3");
});
