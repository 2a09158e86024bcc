// socket.io-client 3.x and 4.x: what is said at the handshake has a place of its own, outside the URL.
import { io } from "socket.io-client";

export const connect = (token) => io({ auth: { token } });
