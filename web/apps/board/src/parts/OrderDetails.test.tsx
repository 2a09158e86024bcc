// @vitest-environment happy-dom
import type { HistoryEntry, Order } from "@ordercast/client";
import { act, cleanup, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { refused, serve } from "./fakeClient.tsx";
import { OrderDetails } from "./OrderDetails.tsx";
import { order, WORKFLOW } from "./sample.ts";

let state: Order;
let events: HistoryEntry[];
let closed: number;
const patched = () => shop.asked.filter(({ what }) => what.startsWith("PATCH")).map(({ body }) => body);
const event = (over: Partial<HistoryEntry>): HistoryEntry => ({
  position: 1,
  orderId: 17,
  version: 1,
  kind: "created",
  status: "received",
  previousStatus: null,
  changed: [],
  at: "2026-01-01T00:00:00.000Z",
  ...over,
});

/** The server's own check of versions. */
const change = (body: unknown) => {
  const { expectedVersion, ...values } = body as Partial<Order> & { expectedVersion: number };
  if (expectedVersion !== state.version) return refused(409, "The order has moved on.");
  state = { ...state, ...values, version: state.version + 1 };
  return state;
};
let shop: ReturnType<typeof serve>;

beforeEach(() => {
  state = order({ note: "ring twice", contact: { name: "Zoë", phone: "+49 171 5" }, items: [{ name: "Pizza", quantity: 2, price: 8 }], total: 16, currency: "EUR" });
  events = [event({})];
  closed = 0;
  shop = serve({
    "GET orders/17": () => state,
    "GET orders/17/events": () => ({ events, complete: true }),
    "PATCH orders/17": change,
    "POST orders/17/share": { shareToken: "s", url: "https://shop.example/track/s", expiresAt: "2026-02-01T00:00:00.000Z" },
  });
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

function Do({ status, hasBeen }: { status: string; hasBeen: (status: string) => boolean }) {
  return (
    <>
      <button>{`Do with ${status}`}</button>
      {WORKFLOW.statuses.filter(({ name }) => hasBeen(name)).map(({ name }) => (
        <i key={name}>{`was ${name}`}</i>
      ))}
    </>
  );
}

const wait = { timeout: 30_000 };
async function open(orderId: number | string = 17) {
  const shown = shop.show(<OrderDetails orderId={orderId} workflow={WORKFLOW} onClose={() => void (closed += 1)} actions={({ status }, hasBeen) => <Do status={status} hasBeen={hasBeen} />} waiting={() => "as the card says"} />);
  await shop.connect();
  return shown;
}
/** Somebody else changes it. */
const others = async (changes: Partial<Order>) => {
  state = { ...state, ...changes, version: state.version + 1 };
  await shop.hear("order:changed", { orderId: 17, changes, version: state.version, position: state.version });
};

it("shows everything of the order, and what happens to it meanwhile", async () => {
  await open();
  const dialog = within(await screen.findByRole("dialog", { name: "Order #17" }, wait));
  await dialog.findByText("Zoë", {}, wait);
  expect(dialog.getByRole("link", { name: "+49 171 5" }).getAttribute("href")).toBe("tel:+491715");
  expect(dialog.getByRole("button", { name: "Do with received" })).toBeTruthy();
  expect(within(dialog.getByRole("region", { name: "Items" })).getByRole("listitem").textContent).toMatch(/2 × Pizza.*16/);
  expect(await dialog.findByText("Created: Received", {}, wait)).toBeTruthy();
  events = [...events, event({ version: 2, kind: "status_changed", status: "preparing", previousStatus: "received", at: "2026-01-01T00:04:05.000Z", updatedBy: "ben", reason: "hungry" })];
  state = { ...state, status: "preparing", version: 2 };
  await shop.hear("order:status_changed", { orderId: 17, status: "preparing", updatedAt: "2026-01-01T00:04:05.000Z", customerId: 42, updatedBy: "ben", version: 2, position: 2 });
  expect(await dialog.findByText("by ben, after 4 min 5 s in Received, “hungry”", {}, wait)).toBeTruthy();
  expect(dialog.getByRole("button", { name: "Do with preparing" })).toBeTruthy();
  await userEvent.keyboard("{Escape}");
  expect(closed).toBe(1);
});

it("says where there is no such order", async () => {
  await open(99);
  expect((await screen.findByRole("alert", {}, wait)).textContent).toMatch(/no such order/);
});

it("saves a note beside changes of other things", async () => {
  await open();
  const note = await screen.findByLabelText("Note", {}, wait);
  const save = () => screen.getByRole<HTMLButtonElement>("button", { name: "Save" });
  expect(save().disabled).toBe(true); // there is nothing to save
  await userEvent.clear(note);
  await userEvent.type(note, "ring thrice");
  expect(screen.getByText("Not saved yet: note.")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Discard and close" })).toBeTruthy();
  await others({ claimedBy: "ben" });
  state = { ...state, version: 3 }; // and one that has not been heard of
  await userEvent.keyboard("{Escape}");
  expect(closed).toBe(0); // what was typed is not lost
  await userEvent.click(save());
  await screen.findByText("Saved.", {}, wait);
  expect(patched()).toEqual([{ note: "ring thrice", expectedVersion: 2 }, { note: "ring thrice", expectedVersion: 3 }]);
  expect(state).toMatchObject({ note: "ring thrice", version: 4 });
  expect(save().disabled).toBe(true);
  expect(screen.getByRole("button", { name: "Close" })).toBeTruthy();
});

it("keeps the focus of what is taken away or disabled, so that Escape closes it", async () => {
  await open();
  const note = await screen.findByLabelText("Note", {}, wait);
  const dialog = screen.getByRole("dialog");
  await userEvent.type(note, "!");
  await userEvent.click(screen.getByRole("button", { name: "Discard" }));
  await waitFor(() => expect(document.activeElement).toBe(dialog), wait);
  await userEvent.type(note, "!");
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  await screen.findByText("Saved.", {}, wait);
  await waitFor(() => expect(document.activeElement).toBe(dialog), wait);
  await userEvent.keyboard("{Escape}");
  expect(closed).toBe(1);
});

it("says of what is over since when, and promises nothing of it", async () => {
  await open();
  const status = async (label: string) => (await screen.findByText(label, { selector: ".standing strong" }, wait)).closest(".standing")!.textContent;
  expect(await status("Received")).toBe("Status: Received as the card says");
  await userEvent.type(screen.getByLabelText("Promised for"), "2026-01-01T12:00");
  const updatedAt = new Date(2026, 0, 1, 10, 44).toISOString();
  state = { ...state, status: "delivered", statusSince: updatedAt, version: 2 };
  await shop.hear("order:status_changed", { orderId: 17, status: "delivered", updatedAt, customerId: 42, updatedBy: "ben", version: 2, position: 2 });
  expect(await status("Delivered")).toMatch(/^Status: Delivered .*10:44/);
  expect(screen.getByLabelText("Promised for")).toBeTruthy(); // what somebody is typing
  await userEvent.click(screen.getByRole("button", { name: "Discard" }));
  expect(screen.queryByLabelText("Promised for")).toBeNull();
  expect(screen.getByLabelText("Note")).toBeTruthy();
});

it("knows where the order has been, once its history is known", async () => {
  events = [event({}), event({ version: 2, kind: "status_changed", status: "preparing", previousStatus: "received" })];
  state = { ...state, status: "preparing", version: 2 };
  await open();
  await screen.findByText("was received", {}, wait);
  expect(screen.getAllByText(/^was /).map(({ textContent }) => textContent)).toEqual(["was received", "was preparing"]);
});

it.each([
  ["is not kept from its beginning", { events: [], complete: false }],
  ["cannot be had", refused(500, "Broken.")],
])("rules nothing out where the history %s", async (_, answer) => {
  shop = serve({ "GET orders/17": () => state, "GET orders/17/events": () => answer });
  await open();
  await screen.findByText("was cancelled", {}, wait);
  expect(screen.getAllByText(/^was /)).toHaveLength(WORKFLOW.statuses.length);
});

it("lets people settle what both have changed", async () => {
  await open();
  const note = () => screen.getByLabelText<HTMLTextAreaElement>("Note");
  await screen.findByLabelText("Note", {}, wait);
  await userEvent.type(note(), "!");
  events = [...events, event({ version: 2, kind: "changed", changed: ["note"], updatedBy: "ben" })];
  await others({ note: "no bell" });
  await screen.findByText("ben has changed the note meanwhile: “no bell”", {}, wait);
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "Save" }).disabled).toBe(true);
  await userEvent.click(screen.getByRole("button", { name: "Keep mine" }));
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  await screen.findByText("Saved.", {}, wait);
  expect(state.note).toBe("ring twice!");
  await userEvent.type(note(), "?");
  await others({ note: "no bell" });
  await userEvent.click(await screen.findByRole("button", { name: "Take theirs" }, wait));
  expect(note().value).toBe("no bell");
});

it("finds a conflict that it hears of by the refusal alone, and overwrites nothing", async () => {
  await open();
  await userEvent.type(await screen.findByLabelText("Note", {}, wait), "!");
  state = { ...state, note: "no bell", version: 2 };
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  await screen.findByText(/has changed the note meanwhile: “no bell”/, {}, wait);
  expect(state.note).toBe("no bell");
});

it("copies the customer's link, or shows it", async () => {
  await open();
  await userEvent.click(await screen.findByRole("button", { name: "Copy the customer's link" }, wait));
  expect((await screen.findByLabelText<HTMLInputElement>("The customer's link", {}, wait)).value).toBe("https://shop.example/track/s");
});

it("prints one order, once, and takes the sheet away", async () => {
  const printed: string[] = [];
  window.print = () => void printed.push(document.querySelector<HTMLElement>("body > .print")!.dataset.paper!);
  await open();
  await userEvent.click(await screen.findByRole("button", { name: "Print a receipt (80 mm)" }, wait));
  await waitFor(() => expect(printed).toEqual(["receipt"]), wait);
  expect(document.querySelector(".print h1")!.textContent).toBe("#17");
  expect(document.querySelector(".print .note")!.textContent).toBe("ring twice");
  await act(async () => void window.dispatchEvent(new Event("afterprint")));
  expect(document.querySelector(".print")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Print" }));
  await waitFor(() => expect(printed).toEqual(["receipt", "sheet"]), wait);
});
