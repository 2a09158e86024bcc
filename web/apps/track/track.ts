/** One customer's order, live. */

import { Problem, type Order, type Workflow } from "@ordercast/client";
import { summary } from "../shared/orders.ts";
import { clientFor, el, showConnection, takeFragment } from "../shared/shop.ts";

const link = takeFragment("track");
const client = clientFor(link.get("token") ?? "");
const orderId = link.get("order") ?? "";
const $ = (id: string) => document.querySelector<HTMLElement>(`#${id}`)!;

/** The steps of a progress bar, by number, in the words a customer uses. */
const STEPS = ["Received", "In preparation", "Ready / on its way", "Done"];

let workflow: Workflow | undefined;
let order: Order | undefined;

function draw(): void {
  if (order === undefined || workflow === undefined) return;
  const { status: name } = order;
  const status = workflow.statuses.find((s) => s.name === name);
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

const watched = client.watchOrder(orderId);
watched.subscribe(() => {
  const { error } = watched.current;
  order = watched.current.order;
  const missing = error instanceof Problem && error.status === 404;
  $("problem").textContent = missing ? "This order cannot be found. Check the link you were given." : (error?.message ?? "");
  draw();
});
showConnection(client, $("banner"));
client.on("connection", () => {
  // Asked again with each change, until it is there; the client keeps it.
  client.workflow().then((found) => {
    workflow = found;
    draw();
  }, () => undefined);
});
client.connect();
