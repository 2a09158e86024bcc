/** The operators' list: every open order, live. */

import { age, merge, newer, nextStatuses, summary, type ChangedEvent, type Id, type Order, type StatusEvent, type Workflow } from "../shared/orders.ts";
import { el, Problem, Shop, showConnection, takeFragment } from "../shared/shop.ts";

const LEAVES_AFTER = 4000; // ms that a finished order stays to be seen

const shop = new Shop(takeFragment("board").get("token") ?? "");
const list = document.querySelector<HTMLElement>("#orders")!;
const orders = new Map<string, Order>();
const rows = new Map<string, HTMLElement>();
const fetching = new Set<string>();
let workflow: Workflow;
/** Events that came while the list was on its way; `null` when it is there. */
let early: [string, unknown][] | null = [];

const role = (): string => {
  try {
    const claims = JSON.parse(atob(shop.token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/")));
    return typeof claims.role === "string" ? claims.role : "operator";
  } catch {
    return "operator";
  }
};
const label = (status: string) => workflow.statuses.find((s) => s.name === status)?.label ?? status;
const isOpen = (order: Order) => workflow.statuses.find((s) => s.name === order.status)?.category === "open";
const key = (id: Id) => String(id);

async function load(): Promise<void> {
  early ??= [];
  workflow = await shop.call<Workflow>("GET", "workflow");
  const open = workflow.statuses.filter((s) => s.category === "open").map((s) => s.name);
  const found: Order[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ status: open.join(","), limit: "200" });
    if (cursor !== null) query.set("cursor", cursor);
    const page: { orders: Order[]; next: string | null } = await shop.call("GET", `orders?${query}`);
    found.push(...page.orders);
    cursor = page.next;
  } while (cursor !== null);
  const present = new Set(found.map((order) => key(order.orderId)));
  for (const id of [...orders.keys()]) if (!present.has(id)) remove(id);
  for (const order of found) show(newer(orders.get(key(order.orderId)), order), false);
  const waiting = early ?? [];
  early = null;
  for (const [event, data] of waiting) take(event, data);
  count();
}

function take(event: string, data: unknown): void {
  if (early !== null) {
    early.push([event, data]);
    return;
  }
  if (event === "order:created") {
    const order = data as Order;
    show(newer(orders.get(key(order.orderId)), order), true);
    return;
  }
  const id = (data as StatusEvent).orderId;
  const { order, missing } = merge(orders.get(key(id)), data as StatusEvent | ChangedEvent);
  if (order !== undefined) show(order, true);
  if (missing) void refresh(id);
}

async function refresh(id: Id): Promise<void> {
  if (fetching.has(key(id))) return;
  fetching.add(key(id));
  try {
    const order = await shop.call<Order>("GET", `orders/${encodeURIComponent(id)}`);
    show(newer(orders.get(key(id)), order), true);
  } catch (error) {
    if (!(error instanceof Problem && error.status === 404)) throw error;
  } finally {
    fetching.delete(key(id));
  }
}

function show(order: Order, moved: boolean): void {
  const id = key(order.orderId);
  const known = orders.has(id);
  orders.set(id, order);
  if (!isOpen(order)) {
    if (!known) {
      orders.delete(id);
      return;
    }
    setTimeout(() => {
      const now = orders.get(id);
      if (now !== undefined && !isOpen(now)) remove(id);
    }, LEAVES_AFTER);
  }
  const row = draw(order);
  const old = rows.get(id);
  if (old !== undefined) old.replaceWith(row);
  else place(row, order);
  rows.set(id, row);
  if (moved) row.classList.add("moved");
  count();
}

/** Newest first. */
function place(row: HTMLElement, order: Order): void {
  const before = [...list.children].find((other) => (other as HTMLElement).dataset.createdAt! < order.createdAt);
  list.insertBefore(row, before ?? null);
}

function remove(id: string): void {
  orders.delete(id);
  rows.get(id)?.remove();
  rows.delete(id);
  count();
}

function count(): void {
  const open = [...orders.values()].filter(isOpen).length;
  document.querySelector("#count")!.textContent = `${open} open`;
  document.querySelector<HTMLElement>("#empty")!.hidden = orders.size > 0;
}

function draw(order: Order): HTMLElement {
  const problem = el("span", { class: "problem", role: "alert" });
  const acts = el("span", { class: "acts" });
  const act = (text: string, main: boolean, method: string, path: string, body?: unknown) => {
    const button = el("button", { type: "button", ...(main ? { class: "main" } : {}) }, text) as HTMLButtonElement;
    button.addEventListener("click", async () => {
      button.disabled = true;
      problem.textContent = "";
      try {
        const changed = await shop.call<Order>(method, path, body);
        show(newer(orders.get(key(order.orderId)), changed), true);
      } catch (error) {
        problem.textContent = error instanceof Problem ? error.message : "The server cannot be reached. Try again.";
        button.disabled = false;
      }
    });
    acts.append(button);
  };
  const path = `orders/${encodeURIComponent(order.orderId)}`;
  nextStatuses(workflow, order, role()).forEach((status, i) => {
    const forward = workflow.statuses.find((s) => s.name === status)?.category !== "aborted";
    act(label(status), forward && i === 0, "PATCH", path, { status, expectedVersion: order.version });
  });
  if (order.firstContactAt === null && isOpen(order)) act("Contacted", false, "POST", `${path}/contact`);
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

const socket = shop.connect();
showConnection(socket, document.querySelector("#banner")!);
// What happened while the connection was away is in the list.
socket.on("connect", () => void load());
for (const event of ["order:created", "order:status_changed", "order:changed"]) {
  socket.on(event, (data: unknown) => take(event, data));
}
