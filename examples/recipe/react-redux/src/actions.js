// What happens in the app, by name, and functions that make these.
export const LOGIN = "LOGIN";
export const LOGOUT = "LOGOUT";
export const WATCH_ORDER = "WATCH_ORDER";
export const SOCKET_CONNECTED = "SOCKET_CONNECTED";
export const SOCKET_DISCONNECTED = "SOCKET_DISCONNECTED";
export const ORDER_STATUS_UPDATED = "ORDER_STATUS_UPDATED";
export const WATCH_DENIED = "WATCH_DENIED";

/** `role` says what to fetch while there is no socket: an operator wants all orders. */
export const login = (token, role) => ({ type: LOGIN, token, role });
export const logout = () => ({ type: LOGOUT });
export const watchOrder = (orderId) => ({ type: WATCH_ORDER, orderId });

export const socketConnected = () => ({ type: SOCKET_CONNECTED });
/** `words` say what there is instead of a socket. */
export const socketDisconnected = (words) => ({ type: SOCKET_DISCONNECTED, words });
export const orderStatusUpdated = ({ orderId, status, version }) => ({
  type: ORDER_STATUS_UPDATED,
  order: { orderId, status, version },
});
export const watchDenied = ({ orderId, error }) => ({ type: WATCH_DENIED, orderId, error });
