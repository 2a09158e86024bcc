/** The way to `socket.io-client`, as narrow as it can be, so that tests put a fake in its place. */

import { io } from "socket.io-client";

export interface SocketLike {
  readonly connected: boolean;
  readonly recovered: boolean;
  connect(): unknown;
  disconnect(): unknown;
  emit(name: string, ...args: unknown[]): unknown;
  on(name: "connect", listener: () => void): unknown;
  on(name: "disconnect", listener: (reason: string) => void): unknown;
  on(name: "connect_error", listener: (error: Error) => void): unknown;
  onAny(listener: (name: string, ...args: unknown[]) => void): unknown;
}

export interface SocketOptions {
  origin: string;
  path: string;
  /** ms that a connection may take. */
  timeout: number;
  /** Called before each connection. */
  auth: (give: (auth: object) => void) => void;
  /** Called with each heartbeat. */
  alive: () => void;
}

export type OpenSocket = (options: SocketOptions) => SocketLike;

/** A socket that is not connected yet. */
export const openSocket: OpenSocket = ({ origin, path, timeout, auth, alive }) => {
  const socket = io(origin, {
    path,
    auth,
    timeout,
    autoConnect: false,
    forceNew: true,
    reconnection: false, // `Link` does that, with one backoff for socket and REST
    transports: ["websocket", "polling"],
    tryAllTransports: true,
  });
  socket.io.on("ping", alive);
  return socket;
};
