/** What the REST API speaks of. Made from the server's own schema, except where that says nothing. */

import type { components } from "./generated/openapi.ts";

type Schemas = components["schemas"];

export type Id = number | string;
export type Order = Schemas["OrderView"];
export type OrderPage = Schemas["OrderList"];
export type EventPage = Schemas["EventPage"];
export type NewOrder = Schemas["CreateOrder"];
export type OrderPatch = Schemas["PatchOrder"];
export type ProblemDetails = Schemas["ProblemView"];

export type Stats = Schemas["StatsView"];
export type Presence = Schemas["PresenceView"];
export type Board = Schemas["BoardView"];
export type Targets = Schemas["BoardSettings"]["targets"];
export type SignIn = Schemas["SignInView"];
export type HistoryEntry = Schemas["HistoryEntry"];
export type History = Schemas["History"];

/** `GET /api/workflow`. */
export interface Workflow {
  initial: string;
  /** Whether operators may take a step back, with a reason. */
  corrections: boolean;
  statuses: { name: string; label: string; step: number; category: "open" | "done" | "aborted" }[];
  transitions: { from: string; to: string; roles: string[]; fulfilment: string | null }[];
}

/** Ids are compared as text: 42 equals "42". */
export const key = (id: Id): string => String(id);
