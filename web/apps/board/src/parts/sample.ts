/** Orders, a workflow and figures for tests. */

import type { Stats, Workflow } from "@ordercast/client";

export { order } from "../../../../packages/client/test/orders.ts";

/** Where the orders begin. */
export const START = Date.parse("2026-01-01T00:00:00.000Z");

export const WORKFLOW: Workflow = {
  initial: "received",
  corrections: true,
  statuses: [
    { name: "received", label: "Received", step: 1, category: "open" },
    { name: "preparing", label: "Preparing", step: 2, category: "open" },
    { name: "ready", label: "Ready", step: 3, category: "open" },
    { name: "delivered", label: "Delivered", step: 4, category: "done" },
    { name: "cancelled", label: "Cancelled", step: 0, category: "aborted" },
  ],
  transitions: [
    { from: "received", to: "preparing", roles: ["operator", "admin"], fulfilment: null },
    { from: "preparing", to: "ready", roles: ["operator", "admin"], fulfilment: null },
    { from: "ready", to: "delivered", roles: ["operator", "admin"], fulfilment: null },
    { from: "received", to: "cancelled", roles: ["operator", "admin"], fulfilment: null },
  ],
};

export const STATS: Stats = {
  day: "2026-01-01",
  timeZone: "Europe/Berlin",
  since: "2025-12-31T23:00:00.000Z",
  asOf: "2026-01-01T12:00:00.000Z",
  position: 99,
  orders: { received: 3, preparing: 1, ready: 0, delivered: 12 },
  created: 16,
  done: 12,
  aborted: 0,
  firstContact: { count: 9, median: 65, p90: 240, waiting: 4 },
  timeInStatus: { received: { count: 13, median: 40, p90: 90 } },
};
