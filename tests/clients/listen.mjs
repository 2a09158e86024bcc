// A client of the official socket.io-client that prints what it hears, a JSON line each: {event, data}.
// Usage: node listen.mjs URL PATH TOKEN TRANSPORT ; ends with its stdin.
import { io } from "socket.io-client";

const [url, path, token, transport] = process.argv.slice(2);
const say = (event, data) => console.log(JSON.stringify({ event, data }));

const socket = io(url, { path, auth: { token }, transports: [transport], reconnection: false });
socket.on("connect", () => say("connect", socket.io.engine.transport.name));
socket.on("connect_error", (error) => say("connect_error", error.message));
socket.on("disconnect", (reason) => say("disconnect", reason));
socket.onAny((event, data) => say(event, data));
process.stdin.on("end", () => process.exit(0)).resume();
