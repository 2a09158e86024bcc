/** The orders that are shown, as a file for spreadsheets (RFC 4180). */

import { key, type Order } from "@ordercast/client";
import { summary } from "../../../shared/orders.ts";
import type { Filter } from "./filters.ts";
import { plain } from "./text.ts";
import { sortable } from "./times.ts";
import { csvColumns as names } from "./words.ts";

type Cell = string | number | null;

/** Excel takes a file without it for one of the local code page. */
const BOM = "\uFEFF";

/** The first characters that make a spreadsheet compute a cell. */
const COMPUTED = /^[=+\-@\t\r]/;

/** The same inside of a cell: where `;` parts cells (most of Europe), Excel opens this file in one column, whose quotes
 *  are no beginning of a cell and hold nothing together. */
const INSIDE = /([;\t\r\n])(?="*[=+\-@])/g;

/** Rows of cells. Text that a spreadsheet would compute begins with an apostrophe, which it shows as text. */
export const toCsv = (rows: readonly (readonly Cell[])[]): string => BOM + rows.map((row) => `${row.map(written).join(",")}\r\n`).join("");

function written(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const text = (COMPUTED.test(cell) ? `'${cell}` : cell).replace(INSIDE, "$1'");
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A heading and a row for each order. Times are the reader's own, or of `timeZone`. */
export function ordersCsv(orders: readonly Order[], label: (status: string) => string, timeZone?: string): string {
  const time = (at: string | null) => (at === null ? null : sortable(at, timeZone));
  const columns: [string, (order: Order) => Cell][] = [
    [names.order, ({ orderId }) => orderId],
    [names.reference, ({ reference }) => reference],
    [names.status, ({ status }) => label(status)],
    [names.fulfilment, ({ fulfilment }) => fulfilment],
    [names.items, summary],
    [names.total, ({ total }) => total],
    [names.currency, ({ currency }) => currency],
    [names.name, ({ contact }) => said(contact?.name)],
    [names.phone, ({ contact }) => said(contact?.phone)],
    [names.note, ({ note }) => note],
    [names.claimedBy, ({ claimedBy }) => claimedBy],
    [names.firstContactAt, ({ firstContactAt }) => time(firstContactAt)],
    [names.expectedAt, ({ expectedAt }) => time(expectedAt)],
    [names.createdAt, ({ createdAt }) => time(createdAt)],
    [names.updatedAt, ({ updatedAt }) => time(updatedAt)],
    [names.customerId, ({ customerId }) => customerId],
    [names.shopId, ({ shopId }) => shopId],
  ];
  return toCsv([columns.map(([name]) => name), ...orders.map((order) => columns.map(([, cell]) => cell(order)))]);
}

const said = (value: unknown): string | null => (typeof value === "string" || typeof value === "number" ? String(value) : null);

/** "orders-late-received-2026-11-25-1405.csv": what is in it, and of when (ms since the epoch). */
export function fileName(filter: Filter, now: number, timeZone?: string): string {
  const claimed = filter.claimedBy === null ? null : filter.claimedBy === "nobody" ? "unclaimed" : `claimed-by-${filter.claimedBy}`;
  const parts = [filter.late && "late", ...filter.statuses, filter.fulfilment, claimed, filter.hasNoContact && "no-contact", filter.shopId && `shop-${key(filter.shopId)}`, filter.q];
  const said = parts.flatMap((part) => (part ? [plain(part).replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "")] : [])).filter((part) => part !== "");
  const time = sortable(now, timeZone).slice(0, 16).replace(" ", "-").replace(":", "");
  return `${["orders", ...said].join("-").slice(0, 100)}-${time}.csv`;
}

/** Has the browser keep a text as a file. */
export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000); // browsers begin a moment later
}
