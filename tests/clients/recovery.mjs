// An unmodified socket.io-client 4.x that loses its connection. Usage: node recovery.mjs URL CUSTOMER_TOKEN OPERATOR_TOKEN
// Reads commands from stdin, a line each, and prints what it heard as JSON lines.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [url, customer, operator] = process.argv.slice(2);
const say = (what) => console.log(JSON.stringify(what));

function open(who, token) {
  const socket = io(url, { auth: { token }, forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 200 });
  socket.onAny((event, ...args) => say({ who, event, args }));
  socket.on("connect", () => say({ who, event: "connect", recovered: socket.recovered }));
  socket.io.on("open", () => socket.io.engine.once("upgrade", () => say({ who, event: "upgrade" })));
  socket.on("disconnect", (reason) => say({ who, event: "disconnect", reason }));
  return socket;
}

const sockets = { customer: open("customer", customer), operator: open("operator", operator) };
for await (const line of createInterface({ input: process.stdin })) {
  const [command, who, ...rest] = line.split(" ");
  const socket = sockets[who];
  if (command === "cut") socket.io.engine.close();
  else if (command === "hide") {
    socket.io.reconnection(false);
    socket.io.engine.close();
  } else if (command === "back") {
    socket.io.reconnection(true);
    socket.io.connect();
  }
  else if (command === "emit") socket.emit(rest[0], JSON.parse(rest[1] ?? "null"));
  else if (command === "quit") process.exit(0);
}
