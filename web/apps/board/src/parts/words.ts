/** Everything that the parts of the board say. */

import type { Level } from "./ageing.ts";

export const levels: Record<Level, string> = { none: "", fresh: "On time", due: "Due soon", late: "Late" };

export const csvColumns = {
  order: "Order",
  reference: "Reference",
  status: "Status",
  fulfilment: "Fulfilment",
  items: "Items",
  total: "Total",
  currency: "Currency",
  name: "Name",
  phone: "Phone",
  note: "Note",
  claimedBy: "Claimed by",
  firstContactAt: "First contact",
  expectedAt: "Promised",
  createdAt: "Created",
  updatedAt: "Updated",
  customerId: "Customer",
  shopId: "Shop",
};

const s = (n: number, one: string, many: string = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

export const announcements = {
  title: (n: number, title: string) => `(${n}) ${n === 1 ? "New order" : "New orders"} · ${title}`,
  notification: (n: number, id: string) => (n === 1 ? `New order #${id}` : s(n, "new order")),
};

export const shift = {
  start: "Start shift",
  does: "Rings for new orders, notifies you of them while you look elsewhere, and keeps this screen on",
  end: "End shift",
  on: "On shift",
  muted: "muted",
  locked: "press any key for sound",
  panel: "Your shift",
  sound: "Ring for new orders",
  volume: "Volume",
  tryIt: "Try the sound",
  awake: {
    held: "This screen stays on.",
    released: "This screen may go dark.",
    refused: "This device does not let the screen stay on.",
    unsupported: "This browser cannot keep the screen on.",
  },
  notifications: {
    granted: "Notifications come while you look elsewhere.",
    denied: "Notifications are blocked. Allow them in the browser's settings for this page.",
    default: "The browser has not been allowed to show notifications.",
    missing: "This browser has no notifications.",
  },
};

export const signIn = {
  title: (shop: string | null) => (shop === null ? "Sign in" : `Sign in to ${shop}`),
  titleAgain: "Sign in again",
  none: "This board shows a shop's orders to the people who work there.",
  noneByLink: "This board shows a shop's orders to the people who work there. Open the link that you were given, or paste it here.",
  expired: "Your sign-in has run out. The board stays as it is, with all that you have typed, and goes on where it was.",
  expiredTrying: "Your sign-in has run out and could not be renewed by itself; that is tried again all the time. The board stays as it is, with all that you have typed.",
  ends: "Your sign-in ends soon.",
  ended: "You are signed out: what you see is not live.",
  left: (seconds: number) => `(${seconds} s left)`,
  refused: {
    unauthorized: "This sign-in is not valid here. Ask for a new link.",
    revoked: "Your access was withdrawn. Ask for a new link.",
    new_login: "You are signed in somewhere else now, and only one place at a time is allowed.",
    ended: "The server has ended this connection. Sign in again to go on.",
  },
  here: "Go on here",
  toShop: (shop: string | null) => (shop === null ? "Sign in at the shop" : `Sign in at ${shop}`),
  inNewWindow: "(opens a new window)",
  paste: "Paste a link or a token",
  orPaste: "Or paste a link or a token",
  noToken: "There is no token in this. Paste the whole link, or the token alone.",
  goOn: "Go on",
  later: "Not now",
  again: "Sign in again",
  handedOver: "You are signed in. Close this window and go on at the board.",
};

export const banner = {
  live: "Live",
  connecting: "Connecting …",
  resuming: "Catching up …",
  polling: "Live, over a slower connection",
  unreachable: "The server cannot be reached. Trying again …",
  offline: "You are offline",
  ended: "Not live",
  age: (age: string) => `· what you see is ${age} old`,
};

export const figures = {
  today: "Today",
  more: "Figures",
  created: "New today",
  done: "Done today",
  aborted: "Cancelled or failed today",
  firstContact: "First contact",
  contactLong: "Time to first contact",
  waiting: "Not contacted yet",
  latency: "Update latency",
  latencyLong: "From a change to this screen",
  within: (p90: string) => `(9 of 10 within ${p90})`,
  spread: (median: string, p90: string) => `half within ${median}, 9 of 10 within ${p90}`,
  measured: (median: string, p90: string, error: string, n: number) =>
    `half within ${median}, 9 of 10 within ${p90}; the last ${s(n, "change")}, clocks compared to ± ${error}`,
  nothingYet: "nothing yet",
  status: "Status",
  orders: "Orders",
  median: "Half within",
  p90: "9 of 10 within",
  times: "Orders: in it now; of finished ones, today's. Times: how long orders stayed that left it today.",
  asOf: (time: string, zone: string) => `As of ${time}. A day begins at midnight in ${zone}.`,
};

export const online = {
  others: (n: number) => (n === 0 ? "Only you online" : s(n, "other online", "others online")),
  title: "Online",
  you: (id: string) => `${id} (you)`,
  admin: "admin",
};

export const search = {
  label: "Search orders",
  placeholder: "Number, name, phone …",
  clear: "Clear",
  clearAll: "Clear the search",
  looking: "Looking …",
  failed: "The server could not be asked for closed orders. Type on to try again.",
  none: (q: string) => `No order fits “${q}”.`,
  notByItem: "Closed orders are not searched by item.",
  inColumn: (n: number, label: string) => `${n} in ${label}`,
  open: (n: number) => `${n} open`,
  left: (n: number) => `${n} left out by the filter`,
  over: (n: number, more: boolean) => `${more ? "more than " : ""}${n} closed`,
  found: (parts: string[]) => `${parts.join(", ")}.`,
  enter: ["Enter", "opens"] as const,
  first: "goes to the first",
  open1: (id: string) => `Open #${id}`,
  leftTitle: "Left out by the filter",
  overTitle: "Closed orders that fit",
  more: "There are more. Type more to narrow them down.",
  hits: "found",
};

export const filters = {
  button: (n: number) => (n === 0 ? "Filter" : `Filter (${n})`),
  title: "Show only",
  statuses: "Status",
  claimedBy: "Claimed by",
  me: "Me",
  nobody: "Nobody",
  any: "Any",
  fulfilment: "How it goes out",
  delivery: "Delivery",
  pickup: "Pickup",
  shop: "Shop",
  late: "Late only",
  noContact: "Not contacted yet",
  clear: "Show everything",
};

export const timeline = {
  title: "What happened",
  created: (status: string) => `Created: ${status}`,
  contacted: "Customer contacted",
  claimed: "Claimed",
  released: "Released",
  changed: (fields: string[]) => (fields.length === 0 ? "Changed" : `Changed: ${fields.join(", ")}`),
  movedAnd: (status: string, fields: string[]) => `${status}; changed: ${fields.join(", ")}`,
  by: (id: string) => `by ${id}`,
  after: (span: string, status: string) => `after ${span} in ${status}`,
  reason: (reason: string) => `“${reason}”`,
  forced: "by the shop's system, outside of the workflow",
  incomplete: "What came before is not kept any more.",
  failed: "The history could not be loaded.",
  again: "Try again",
  fields: {
    note: "note",
    expectedAt: "promised time",
    contact: "contact",
    items: "items",
    total: "total",
    currency: "currency",
    reference: "reference",
    fulfilment: "how it goes out",
    shopId: "shop",
    customerId: "customer",
    claimedBy: "claimed by",
    firstContactAt: "first contact",
  } as Readonly<Record<string, string>>,
};

export const edit = {
  note: "Note",
  expectedAt: "Promised for",
  title: "Change",
  save: "Save",
  saving: "Saving …",
  saved: "Saved.",
  unsaved: (fields: string[]) => `Not saved yet: ${fields.join(", ")}.`,
  discard: "Discard",
  unreachable: "The server cannot be reached. What you typed is kept: try again.",
  conflict: (field: string, by: string | null, theirs: string | null) =>
    `${by ?? "Somebody"} has changed the ${field} meanwhile: ${theirs === null ? "it is empty now." : `“${theirs}”`}`,
  mine: "Keep mine",
  theirs: "Take theirs",
};

export const share = {
  copy: "Copy the customer's link",
  link: "The customer's link",
  copied: "Copied.",
  copyYourself: "Copy it from the field.",
  failed: "The link could not be made. Try again.",
};

export const print = {
  created: "Ordered",
  expected: "Promised",
  name: "Name",
  phone: "Phone",
  total: "Total",
  printed: (time: string) => `Printed ${time}`,
};

export const details = {
  title: (id: string) => `Order #${id}`,
  close: "Close",
  discardAndClose: "Discard and close",
  loading: "Loading …",
  notThere: "There is no such order, or it is another shop's.",
  unreachable: "The order could not be loaded. It is tried again as soon as the server can be reached.",
  status: "Status",
  reference: "Reference",
  fulfilment: "Goes out by",
  customer: "Customer",
  number: (id: string) => `No. ${id}`,
  phone: "Phone",
  contact: "Contact",
  shop: "Shop",
  claimedBy: "Claimed by",
  nobody: "nobody",
  created: "Created",
  firstContact: "First contact",
  expected: "Promised for",
  note: "Note",
  notYet: "not yet",
  contacted: (at: string, after: string) => `${at}, after ${after}`,
  items: "Items",
  total: "Total",
  print: "Print",
  receipt: "Print a receipt (80 mm)",
};

export const targets = {
  title: "Targets",
  meaning: "How long an order should stay in a status at most. It is due from 70 % of that on, and late after it.",
  none: "no target",
  unit: "min",
  adminsOnly: "Admins of all shops set these.",
  close: "Close",
  cancel: "Cancel",
  save: "Save for everybody",
  saving: "Saving …",
  unreachable: "The server cannot be reached. Try again.",
};
