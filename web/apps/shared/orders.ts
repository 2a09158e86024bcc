/** What the pages say of orders. Pure. */

import type { Order, Workflow } from "@ordercast/client";

/** The statuses an operator may move an order to. */
export function nextStatuses(workflow: Workflow, order: Order, role: string): string[] {
  return workflow.transitions
    .filter(
      (step) =>
        step.from === order.status &&
        step.roles.includes(role) &&
        (step.fulfilment === null || step.fulfilment === order.fulfilment),
    )
    .map((step) => step.to);
}

/** "2 × Margherita, Tiramisù" */
export function summary(order: Order): string {
  return (order.items as { name?: string; quantity?: number }[])
    .map((item) => ((item.quantity ?? 1) > 1 ? `${item.quantity} × ${item.name ?? "?"}` : (item.name ?? "?")))
    .join(", ");
}

/** How long ago, in few characters: "12 s", "4 min", "3 h". */
export function age(since: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(since)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h`;
}
