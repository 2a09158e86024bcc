/** One customer's order, live. */

import { merge, newer, summary, type ChangedEvent, type Order, type StatusEvent, type Workflow } from "../shared/orders.ts";
import { el, Problem, Shop, showConnection, takeFragment } from "../shared/shop.ts";

const link = takeFragment("track");
const shop = new Shop(link.get("token") ?? "");
const orderId = link.get("order") ?? "";
const $ = (id: string) => document.querySelector<HTMLElement>(`#${id}`)!;

/** The steps of a progress bar, by number, in the words a customer uses. */
const STEPS = ["Received", "In preparation", "Ready / on its way", "Done"];

let workflow: Workflow | undefined;
let order: Order | undefined;

async function load(): Promise<void> {
  try {
    workflow ??= await shop.call<Workflow>("GET", "workflow");
    order = newer(order, await shop.call<Order>("GET", `orders/${encodeURIComponent(orderId)}`));
    $("problem").textContent = "";
    draw();
  } catch (error) {
    $("problem").textContent =
      error instanceof Problem && error.status === 404
        ? "This order cannot be found. Check the link you were given."
        : error instanceof Error
          ? error.message
          : String(error);
  }
}

function take(event: StatusEvent | ChangedEvent): void {
  if (String(event.orderId) !== orderId || order === undefined) return;
  const merged = merge(order, event);
  order = merged.order;
  draw();
  if (merged.missing) void load();
}

function draw(): void {
  if (order === undefined || workflow === undefined) return;
  const status = workflow.statuses.find((s) => s.name === order!.status);
  const step = status?.step ?? 0;
  const article = $("order");
  article.hidden = false;
  article.classList.toggle("aborted", status?.category === "aborted");
  article.dataset.orderId = String(order.orderId);
  article.dataset.status = order.status;
  article.dataset.version = String(order.version);
  $("number").textContent = `Order ${order.orderId}${order.reference === null ? "" : ` · ${order.reference}`}`;
  setText($("now"), status?.label ?? order.status);
  document.title = `${status?.label ?? order.status} · Order ${order.orderId}`;
  const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  const open = status?.category === "open";
  $("expected").textContent = order.expectedAt !== null && open ? `Expected around ${time.format(new Date(order.expectedAt))}` : "";
  $("steps").replaceChildren(
    ...STEPS.map((name, i) => {
      const at = i + 1;
      const state = at < step || (at === step && !open) ? "past" : at === step ? "current" : "";
      return el("li", { class: state, ...(at === step ? { "aria-current": "step" } : {}) }, name);
    }),
  );
  $("items").textContent = summary(order);
  const seconds = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
  $("updated").textContent = `Last change ${seconds.format(new Date(order.updatedAt))}`;
}

/** Only what differs, so that a screen reader says it once. */
function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const socket = shop.connect();
showConnection(socket, $("banner"));
socket.on("connect", () => {
  socket.emit("watch:order", orderId);
});
socket.on("watching", () => void load());
socket.on("watch:denied", () => {
  $("problem").textContent = "This order cannot be found. Check the link you were given.";
});
socket.on("order:updated", take);
socket.on("order:changed", take);
