/** Live orders in React and React Native. */

"use client"; // Next.js: a server component may import the provider

export { useChangeStatus, useConnection, useOrder, useOrders, type StatusChange } from "./hooks.ts";
export { OrdercastProvider, useOrdercast, type GivenClient, type OwnClient } from "./provider.tsx";
