/** Live orders in React and React Native. */

export { useChangeStatus, useConnection, useOrder, useOrders, type StatusChange } from "./hooks.ts";
export { OrdercastProvider, useOrdercast, type GivenClient, type OwnClient } from "./provider.tsx";
