/** One customer's order, live. The server has drawn the page; this keeps it current. */

import { OrdercastClient, Problem, retryOnReturn, type Order } from "@ordercast/client";
import { itemWords } from "../shared/orders.ts";
import { el } from "../shared/shop.ts";
import { Notifier } from "./notify.ts";
import { age, arrived, Clock, connectionWords, expected, fill, filledIn, icon, problem, progress, statusOf, steps, type Arrival, type State } from "./view.ts";

const TOAST = 8_000; // ms: two lines, read slowly

const $ = (id: string) => document.querySelector<HTMLElement>(`#${id}`)!;

const state = JSON.parse($("state").textContent ?? "") as State;
const clock = new Clock(state.lang, navigator.languages);
const token = decodeURIComponent(location.pathname.split("/").pop()!);
/** `https://shop.example/live/` for a page at `https://shop.example/live/track/…`. */
const base = new URL("..", location.href).href;
const client = new OrdercastClient(base, { token });
const notifier = new Notifier($("notify") as HTMLButtonElement, $("notified"), state.words, `${base}track-worker.js`);
/** When what is shown was all there was; the server has just sent it. */
let syncedAt = Date.now();
/** What has been told in a toast. */
let told = state.order.version;
let toastTimer: ReturnType<typeof setTimeout> | undefined;

/** Only what differs, so that nothing is said or laid out again for nothing. */
function text(element: HTMLElement, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}

function draw(): void {
  const { order } = state;
  const status = statusOf(state, order.status);
  const now = Date.now();
  const article = $("order");
  article.dataset.status = order.status;
  article.dataset.version = String(order.version);
  article.dataset.category = status.category;
  text($("number"), fill(state.words.order, { number: String(order.reference ?? order.orderId) }));
  text($("now"), status.label);
  text($("more"), status.more);
  drawExpected();
  document.title = `${status.label} · ${$("number").textContent}`;
  const reached = progress(state);
  text($("progress"), fill(state.words.progress, { step: String(reached), steps: String(state.steps.length) }));
  document.querySelector<HTMLLinkElement>("link[rel=icon]")!.href = icon(reached, state.steps.length, status.category);
  $("steps").replaceChildren(
    ...steps(state).map(({ name, kind, at }) =>
      el(
        "li",
        { class: kind, ...(kind === "current" || kind === "stopped" ? { "aria-current": "step" } : {}) },
        el("span", { class: "name" }, name),
        ...(at === undefined ? [] : [" ", el("time", { datetime: at }, clock.say(at, now))]),
        ...(kind === "stopped" ? [" ", el("span", { class: "stopped" }, state.words.stopped)] : []),
      ),
    ),
  );
  drawBasket();
  drawOffer();
  text($("updated"), fill(state.words.updated, { time: clock.say(order.updatedAt, now) }));
}

function drawExpected(): void {
  const { kind, words, left } = expected(state, clock, Date.now());
  $("when").dataset.when = kind;
  text($("expected"), words);
  text($("left"), left);
}

function drawBasket(): void {
  const { total, currency } = state.order;
  const items = state.order.items.filter((item) => typeof item === "object" && item !== null);
  $("items").replaceChildren(...items.map((item) => el("li", {}, itemWords(item))));
  const all = document.querySelector<HTMLElement>("#all-items");
  if (all !== null) text(all, fill(state.words.all_items, { count: String(items.length) }));
  text($("total"), total === null ? "" : clock.money(total, currency));
  $("total").parentElement!.hidden = total === null;
  $("basket").hidden = items.length === 0 && total === null;
}

/** While something is to come, and this page will hear of it. */
function drawOffer(): void {
  notifier.offer(statusOf(state, state.order.status).category === "open" && document.body.dataset.connection !== "ended");
}

/** Says a change: in a toast, which is what screen readers hear, and in a notification where one was asked for. */
function tell(order: Order): void {
  const { label, more } = statusOf(state, order.status);
  const when = expected(state, clock, Date.now()).words;
  const toast = $("toast");
  toast.replaceChildren(el("strong", {}, label), " ", el("span", {}, `${more}${when === "" ? "" : ` ${when}.`}`));
  toast.classList.add("shown");
  toast.dataset.told = String(Number(toast.dataset.told ?? 0) + 1);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    toast.classList.remove("shown");
    toast.replaceChildren();
  }, TOAST);
  notifier.notify(`${label} · ${$("number").textContent}`, when === "" ? more : when);
}

function show(order: Order): void {
  if (order.version < state.order.version) return; // the server drew a newer one
  const before = state.order;
  if (order.fulfilment !== before.fulfilment) return location.reload(); // other words for everything
  state.order = order;
  draw();
  const news = order.status !== before.status || order.expectedAt !== before.expectedAt;
  if (news && order.version > told) {
    told = order.version;
    tell(order);
  }
}

/** Steps that were passed while nobody heard of them have their times in the history. */
async function fillIn(): Promise<void> {
  const { events } = await client.call<{ events: Arrival[] }>("GET", `orders/${encodeURIComponent(state.order.orderId)}/events`);
  filledIn(state, events);
  draw();
}

const watched = client.watchOrder(state.order.orderId);
watched.subscribe(() => {
  const { order, complete } = watched.current;
  drawProblem();
  if (order === undefined || !complete) return;
  const missed = order.version > state.order.version + 1;
  if (order.version > state.order.version && order.status !== state.order.status) arrived(state, { status: order.status, at: order.statusSince });
  show(order);
  if (missed) void fillIn().catch(() => undefined); // the times of steps alone are missing then
});

function drawProblem(): void {
  const { error } = watched.current;
  const [title, words] = problem(state, client.connection, error instanceof Problem ? error.status : undefined);
  const box = $("problem");
  if (box.dataset.title === title) return; // said already
  if (title === undefined) delete box.dataset.title;
  else box.dataset.title = title;
  box.replaceChildren(...(title === undefined ? [] : [el("strong", {}, title), " ", el("span", {}, words!)]));
}

function drawConnection(): void {
  const { name, words } = connectionWords(state, client.connection, navigator.onLine);
  document.body.dataset.connection = name;
  text($("live-words"), words);
  if (client.lastSyncedAt !== null) syncedAt = Math.max(syncedAt, client.lastSyncedAt);
  text($("age"), age(state, clock, name, syncedAt, Date.now()));
  drawOffer();
  drawProblem();
}

client.on("connection", drawConnection);
for (const event of ["online", "offline"]) addEventListener(event, drawConnection);
// What is told from now on counts: after a restore from a backup, versions are lower.
client.on("resync", () => {
  state.order = { ...state.order, version: 0 };
  told = 0;
});
retryOnReturn(client);
setInterval(() => {
  drawConnection();
  drawExpected();
}, 5_000);
draw();
drawConnection();
client.connect();
