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
