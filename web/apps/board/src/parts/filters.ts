/** Which orders are shown: what the URL says, and whether an order is one of them. Pure. */

import { key, type Id, type Order } from "@ordercast/client";
import { level, type Targets } from "./ageing.ts";
import { isExact, matches } from "./hits.ts";

export interface Filter {
  readonly q: string;
  /** None: all. */
  readonly statuses: readonly string[];
  /** `"me"`, `"nobody"` or a user's id; `null`: whoever. */
  readonly claimedBy: string | null;
  readonly fulfilment: "delivery" | "pickup" | null;
  /** Only those that are late. */
  readonly late: boolean;
  readonly shopId: string | null;
  /** Only those whose customer nobody has contacted yet. */
  readonly hasNoContact: boolean;
}

export const EVERYTHING: Filter = { q: "", statuses: [], claimedBy: null, fulfilment: null, late: false, shopId: null, hasNoContact: false };

/** What a filter needs to know besides the order. */
export interface Surroundings {
  readonly now: number;
  readonly targets: Targets;
  readonly me: Id;
  /** Whether a status is an open one: only an open order can be late. */
  readonly isOpen: (status: string) => boolean;
  /** Whether the text is some order's very number or reference: then it is no part of anything else. */
  readonly named: boolean;
}

const NAMES = ["q", "status", "claimed", "fulfilment", "late", "shop", "contact"];

export function fromUrl(params: URLSearchParams): Filter {
  const how = params.get("fulfilment");
  return {
    q: params.get("q") ?? "",
    statuses: [...new Set(params.getAll("status").filter((status) => status !== ""))],
    claimedBy: params.get("claimed") || null,
    fulfilment: how === "delivery" || how === "pickup" ? how : null,
    late: params.get("late") === "1",
    shopId: params.get("shop") || null,
    hasNoContact: params.get("contact") === "none",
  };
}

/** The same filter in a URL, beside whatever else `rest` has in it: but for a token, which no URL keeps. */
export function toUrl(filter: Filter, rest: URLSearchParams = new URLSearchParams()): URLSearchParams {
  const params = new URLSearchParams(rest);
  for (const name of [...NAMES, "token"]) params.delete(name);
  if (filter.q !== "") params.set("q", filter.q);
  for (const status of filter.statuses) params.append("status", status);
  if (filter.claimedBy !== null) params.set("claimed", filter.claimedBy);
  if (filter.fulfilment !== null) params.set("fulfilment", filter.fulfilment);
  if (filter.late) params.set("late", "1");
  if (filter.shopId !== null) params.set("shop", filter.shopId);
  if (filter.hasNoContact) params.set("contact", "none");
  return params;
}

/** Whether anything is left out. */
export const isEverything = (filter: Filter): boolean => toUrl(filter).size === 0;

/** How many things are asked for besides the text. */
export const count = (filter: Filter): number => new Set(toUrl({ ...filter, q: "" }).keys()).size;

export function lets(filter: Filter, order: Order, around: Surroundings): boolean {
  return (
    (filter.statuses.length === 0 || filter.statuses.includes(order.status)) &&
    (filter.claimedBy === null || isClaimed(filter.claimedBy, order, around.me)) &&
    (filter.fulfilment === null || filter.fulfilment === order.fulfilment) &&
    (filter.shopId === null || (order.shopId !== null && filter.shopId === key(order.shopId))) &&
    (!filter.hasNoContact || order.firstContactAt === null) &&
    (!filter.late || isLate(order, around)) &&
    (around.named ? isExact : matches)(filter.q, order)
  );
}

function isClaimed(by: string, { claimedBy }: Order, me: Id): boolean {
  if (by === "nobody") return claimedBy === null;
  return claimedBy !== null && key(claimedBy) === (by === "me" ? key(me) : by);
}

const isLate = (order: Order, { isOpen, targets, now }: Surroundings): boolean =>
  isOpen(order.status) && level(order, targets, now) === "late";
