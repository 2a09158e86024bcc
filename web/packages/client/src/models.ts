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

/** `GET /api/workflow`. */
export interface Workflow {
  initial: string;
  statuses: { name: string; label: string; step: number; category: "open" | "done" | "aborted" }[];
  transitions: { from: string; to: string; roles: string[]; fulfilment: string | null }[];
}

/** Ids are compared as text: 42 equals "42". */
export const key = (id: Id): string => String(id);
