// What the official adapter and emitter put on the wire, without a Redis: one JSON line {what, channel, payload} for each,
// the payload in base64. Then reads what is given on stdin as JSON lines {what, payload}, and prints it as msgpack decodes it.
import { createInterface } from "node:readline";
import { createAdapter } from "@socket.io/redis-adapter";
import { Emitter } from "@socket.io/redis-emitter";
import msgpack from "notepack.io";
import { Server } from "socket.io";

let what;
const nothing = () => {};
const client = {
  publish: (channel, payload) =>
    console.log(JSON.stringify({ what, channel, payload: Buffer.from(payload).toString("base64") })),
  sendCommand: async (words) => [words[2], "3"],
  pSubscribe: nothing,
  sSubscribe: nothing,
  subscribe: nothing,
  on: nothing,
};
const io = new Server({ adapter: createAdapter(client, client, { requestsTimeout: 50 }) });
const emitter = new Emitter(client);
const adapter = io.of("/").adapter;
const say = async (name, act) => {
  what = name;
  await act();
  await new Promise((resolve) => setImmediate(resolve)); // serverCount() has answered
};
const quiet = (promise) => void promise.catch(nothing);
const many = { text: "ü🍕", n: [0, -1, 127, 128, 65536, -32769, 2 ** 40, 1.5], no: null, yes: true, deep: [{ a: [] }] };

for (const [name, who] of [["adapter", io], ["emitter", emitter]]) {
  await say(`${name} all`, () => who.emit("hello"));
  await say(`${name} room`, () => who.to("küche#1").emit("hello", 1, "x"));
  await say(`${name} rooms`, () => who.to("a").to("b").except("c").emit("hello"));
  await say(`${name} volatile`, () => who.volatile.to("a").emit("hello"));
  await say(`${name} binary`, () => who.to("a").emit("photo", { data: Buffer.from([0, 255]) }, new Uint8Array([1])));
  await say(`${name} many`, () => who.emit("many", many));
  await say(`${name} number`, () => who.to(17).emit("hello"));
  await say(`${name} undefined`, () => who.emit("hello", undefined, { gone: undefined }));
  await say(`${name} date`, () => who.emit("hello", new Date(1e12)));
  await say(`${name} namespace`, () => who.of("/kitchen").to("a").emit("hello"));
  await say(`${name} join`, () => who.to("a").except("b").socketsJoin(["x", "y"]));
  await say(`${name} leave`, () => who.to("a").socketsLeave("x"));
  await say(`${name} disconnect`, () => who.disconnectSockets(true));
  await say(`${name} server side`, () => who.serverSideEmit("hello", 1, { a: "x" }));
}
await say("adapter fetch", () => quiet(io.to("a").except("b").fetchSockets()));
await say("adapter all rooms", () => quiet(adapter.allRooms()));
await say("adapter server side with ack", () => quiet(io.serverSideEmitWithAck("hello", 1)));
await say("adapter with ack", () => quiet(io.timeout(1500).to("a").emitWithAck("hello", Buffer.from([7]))));

what = "";
const ask = async (request) => adapter.onrequest(Buffer.from("socket.io-request#/#"), Buffer.from(JSON.stringify(request)));
await say("response fetch", () => ask({ uid: "other", requestId: "r1", type: 5, opts: { rooms: [], except: [] } }));
await say("response ids", () => ask({ uid: "other", requestId: "r2", type: 0, rooms: [] }));
await say("response rooms", () => ask({ uid: "other", requestId: "r3", type: 1 }));
io.on("sum", (a, b, answer) => answer(a + b));
await say("response server side", () => ask({ uid: "other", requestId: "r4", type: 6, data: ["sum", 1, 2] }));
console.log(JSON.stringify({ what: "end" }));

const plain = (_, value) => (value?.type === "Buffer" ? { bytes: value.data } : value);
for await (const line of createInterface({ input: process.stdin })) {
  const { what, payload } = JSON.parse(line);
  const value = msgpack.decode(Buffer.from(payload, "base64"));
  console.log(JSON.stringify({ what, value }, plain));
}
process.exit(0);
