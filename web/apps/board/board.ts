/** The operators' list: every open order, live. */

import { key, Problem, type Order, type OrdersSubscription, type Workflow } from "@ordercast/client";
import { age, nextStatuses, summary } from "../shared/orders.ts";
import { clientFor, el, showConnection, takeFragment } from "../shared/shop.ts";

const LEAVES_AFTER = 4000; // ms that a finished order stays to be seen

const EVERYTHING = 100_000; // more open orders than any shop has

const token = takeFragment("board").get("token") ?? "";
const client = clientFor(token);
const list = document.querySelector<HTMLElement>("#orders")!;
/** What is shown: the open orders, and for a moment those that were. */
const shown = new Map<string, Order>();
const rows = new Map<string, HTMLElement>();
let workflow: Workflow;
let open: OrdersSubscription | undefined;

const role = (): string => {
  try {
    const claims = JSON.parse(atob(token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/")));
    return typeof claims.role === "string" ? claims.role : "operator";
  } catch {
    return "operator";
  }
};
const label = (status: string) => workflow.statuses.find((s) => s.name === status)?.label ?? status;
const isOpen = (order: Order) => workflow.statuses.find((s) => s.name === order.status)?.category === "open";

function begin(): void {
  const status = workflow.statuses.filter((s) => s.category === "open").map((s) => s.name);
  open = client.watchOrders({ status, limit: EVERYTHING });
  open.subscribe(update);
}

/** Draws what differs from what is shown. */
function update(): void {
  const { orders, complete } = open!.current;
  const present = new Set<string>();
  for (const order of orders) {
    const id = key(order.orderId);
    present.add(id);
    if (shown.get(id) !== order) show(order, complete && rows.size > 0);
  }
  for (const [id, order] of shown) if (!present.has(id) && isOpen(order)) leave(id);
  count();
}

/** It is open no more, and stays for a moment to be seen. */
function leave(id: string): void {
  setTimeout(() => {
    if (!open!.current.orders.some((order) => key(order.orderId) === id)) remove(id);
  }, LEAVES_AFTER);
}

function show(order: Order, moved: boolean): void {
  const id = key(order.orderId);
  shown.set(id, order);
  const row = draw(order);
  const old = rows.get(id);
  if (old !== undefined) old.replaceWith(row);
  else place(row, order);
  rows.set(id, row);
  if (moved) row.classList.add("moved");
}

/** Newest first. */
function place(row: HTMLElement, order: Order): void {
  const before = [...list.children].find((other) => (other as HTMLElement).dataset.createdAt! < order.createdAt);
  list.insertBefore(row, before ?? null);
}

function remove(id: string): void {
  shown.delete(id);
  rows.get(id)?.remove();
  rows.delete(id);
  count();
}

function count(): void {
  const open = [...shown.values()].filter(isOpen).length;
  document.querySelector("#count")!.textContent = `${open} open`;
  document.querySelector<HTMLElement>("#empty")!.hidden = shown.size > 0;
}

function draw(order: Order): HTMLElement {
  const problem = el("span", { class: "problem", role: "alert" });
  const acts = el("span", { class: "acts" });
  const act = (text: string, main: boolean, change: () => Promise<Order>) => {
    const button = el("button", { type: "button", ...(main ? { class: "main" } : {}) }, text) as HTMLButtonElement;
    button.addEventListener("click", async () => {
      button.disabled = true;
      problem.textContent = "";
      try {
        await change();
      } catch (error) {
        problem.textContent = error instanceof Problem ? error.message : "The server cannot be reached. Try again.";
        button.disabled = false;
      }
    });
    acts.append(button);
  };
  nextStatuses(workflow, order, role()).forEach((status, i) => {
    const forward = workflow.statuses.find((s) => s.name === status)?.category !== "aborted";
    act(label(status), forward && i === 0, () => client.changeStatus(order.orderId, status, { expectedVersion: order.version }));
  });
  if (order.firstContactAt === null && isOpen(order)) act("Contacted", false, () => client.contact(order.orderId));
  const name = typeof order.contact?.name === "string" ? `${order.contact.name} · ` : "";
  return el(
    "li",
    {
      class: isOpen(order) ? "order" : "order over",
      "data-order-id": key(order.orderId),
      "data-status": order.status,
      "data-version": String(order.version),
      "data-created-at": order.createdAt,
    },
    el("span", { class: "number" }, `#${order.orderId}`, el("span", { class: "soft" }, order.reference ? ` ${order.reference}` : "")),
    el("span", { class: "status" }, label(order.status), el("span", { class: "soft age", "data-since": order.updatedAt }, ` ${age(order.updatedAt, Date.now())}`)),
    el("span", { class: "what" }, el("span", { class: "soft" }, name), summary(order) || "–"),
    acts,
    problem,
  );
}

setInterval(() => {
  for (const since of list.querySelectorAll<HTMLElement>(".age")) since.textContent = ` ${age(since.dataset.since!, Date.now())}`;
}, 1000);

showConnection(client, document.querySelector("#banner")!);
client.on("order:status_changed", ({ orderId, status, updatedAt, version }) => {
  const order = shown.get(key(orderId));
  if (order !== undefined && version > order.version) show({ ...order, status, updatedAt, version }, true);
  count();
});
client.on("connection", () => {
  client.workflow().then(
    (found) => {
      workflow = found;
      if (open === undefined) begin();
    },
    () => undefined, // asked again with the next change of the connection
  );
});
client.connect();
