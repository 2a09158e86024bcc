// socket.io-client 1.x (2.x is the same): what is said at the handshake is said in the query.
import io from "socket.io-client";

export const connect = (token) => io({ query: "token=" + encodeURIComponent(token) });
