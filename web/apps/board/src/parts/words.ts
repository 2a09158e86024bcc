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
  claimedBy: "Taken by",
  firstContactAt: "First contact",
  expectedAt: "Expected",
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
