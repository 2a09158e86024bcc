// A Node.js Socket.IO server in a cluster, with the official adapter and emitter. Usage: node cluster_node.mjs SOCKET PREFIX
// Takes {id, code} as JSON lines, runs the code with io, emitter and heard in reach, and prints {id, value} or {id, error}.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { createAdapter } from "@socket.io/redis-adapter";
import { Emitter } from "@socket.io/redis-emitter";
import { createClient } from "redis";
import { Server } from "socket.io";

const [path, key] = process.argv.slice(2);
const publish = createClient({ socket: { path, reconnectStrategy: 50 } });
const subscribe = publish.duplicate();
for (const client of [publish, subscribe]) {
  client.on("error", () => {}); // Redis is killed on purpose
  await client.connect();
}

const http = createServer();
const io = new Server(http, { adapter: createAdapter(publish, subscribe, { key, requestsTimeout: 15_000 }) });
const emitter = new Emitter(publish, { key });
const heard = []; // server-side events
const AsyncFunction = (async () => {}).constructor;

for (const namespace of [io, io.of("/kitchen")]) {
  namespace.on("connection", (socket) => {
    socket.data.from = "node";
    socket.on("join", (room, done) => done(socket.join(room)));
  });
}
io.on("heard", (...args) => heard.push(args));
io.on("sum", (a, b, answer) => answer(a + b));
await subscribe.ping(); // what was subscribed to before is there now
http.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: http.address().port })));

for await (const line of createInterface({ input: process.stdin })) {
  const { id, code } = JSON.parse(line);
  new AsyncFunction("io", "emitter", "heard", "subscribe", code)(io, emitter, heard, subscribe).then(
    (value) => console.log(JSON.stringify({ id, value: value ?? null })),
    (error) => console.log(JSON.stringify({ id, error: String(error), responses: error.responses ?? null })),
  );
}
process.exit(0);
