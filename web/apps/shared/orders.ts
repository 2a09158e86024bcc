/** Orders as the server sends them, and how events are merged into them. Pure. */

export type Id = number | string;

export interface Order {
  orderId: Id;
  customerId: Id;
  shopId: Id | null;
  reference: string | null;
  fulfilment: "delivery" | "pickup";
  status: string;
  step: number;
  version: number;
  items: { name?: string; quantity?: number }[];
  total: number | null;
  currency: string | null;
  note: string | null;
  contact: Record<string, unknown> | null;
  expectedAt: string | null;
  firstContactAt: string | null;
  createdAt: string;
  updatedAt: string;
}

export interface StatusEvent {
  orderId: Id;
  status: string;
  updatedAt: string;
  version: number;
  position: number;
}

export interface ChangedEvent {
  orderId: Id;
  changes: Partial<Order>;
  version: number;
  position: number;
}

export interface Workflow {
  initial: string;
  statuses: { name: string; label: string; step: number; category: "open" | "done" | "aborted" }[];
  transitions: { from: string; to: string; roles: string[]; fulfilment: string | null }[];
}

/**
 * What an event makes of an order, and whether the order must be fetched because events before it are missing.
 *
 * A version names one state of an order, so an event of the version shown changes nothing that is not so already,
 * and an older one is old news. A status and other changes made at once come as two events of one version.
 */
export function merge(
  order: Order | undefined,
  event: StatusEvent | ChangedEvent,
): { order: Order | undefined; missing: boolean } {
  if (order === undefined) return { order, missing: true };
  if (event.version < order.version) return { order, missing: false };
  const missing = event.version > order.version + 1;
  const next = { ...order, version: event.version };
  if ("status" in event) {
    next.status = event.status;
    next.updatedAt = event.updatedAt;
  } else {
    Object.assign(next, event.changes);
  }
  return { order: next, missing };
}

/** The newer of what is shown and what was fetched or announced whole. */
export function newer(shown: Order | undefined, other: Order): Order {
  return shown !== undefined && shown.version > other.version ? shown : other;
}

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
  return order.items
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
