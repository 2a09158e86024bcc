// Socket.IO clients of every era × every transport, all watching one order on one server.
// Usage: node eras.mjs URL SECRET ; prints a JSON line per client.
import { createHmac } from "node:crypto";
import io14 from "sio-1.4";
import io17 from "sio-1.7";
import io2 from "sio-2";
import { io as io3 } from "sio-3";
import { io as io4 } from "socket.io-client";

const [url, secret] = process.argv.slice(2);
const eras = { "1.4.8": io14, "1.7.4": io17, "2.5.0": io2, "3.1.3": io3, "4.8.4": io4 };
const transports = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };
const TEXT = "Tiramisù für 2 € 🍕 \u2028 \"'\\";
const BYTES = Buffer.from([0, 1, 2, 127, 128, 255, 254, 10, 13, 30]);

function sign(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ iat: now, exp: now + 600, ...claims })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

const within = (promise, what) =>
  Promise.race([
    promise,
    new Promise((_, reject) => setTimeout(() => reject(new Error(`timed out: ${what}`)), 25_000)),
  ]);
const once = (socket, event) => within(new Promise((resolve) => socket.once(event, resolve)), event);
const ask = (socket, ...args) => within(new Promise((resolve) => socket.emit(...args, resolve)), `acknowledgement of ${args[0]}`);

async function rest(method, path, body) {
  const headers = { Authorization: `Bearer ${sign({ userId: "shop", role: "service" })}`, "Content-Type": "application/json" };
  const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  return response.json();
}

class Client {
  constructor(era, transport) {
    this.era = era;
    this.transport = transport;
    this.legacy = era < "3";
    this.updates = [];
  }

  open(token, options = {}) {
    return eras[this.era](url, { transports: transports[this.transport], query: token ? { token } : {}, forceNew: true, ...options });
  }

  /** What a client without a token, or with a bad one, is told. */
  async refusal(token) {
    const socket = this.open(token, { reconnection: false });
    const error = await once(socket, this.legacy ? "error" : "connect_error");
    socket.close();
    return this.legacy ? error : error.message;
  }

  async connect(orderId) {
    this.socket = this.open(sign({ userId: 42 }));
    this.socket.on("order:updated", ({ orderId: id, status, version }) => {
      // Cut off in the middle of a write, a client that recovers may get an event again: its version tells.
      if (id === orderId && version > (this.updates.at(-1)?.[1] ?? 0)) this.updates.push([status, version]);
    });
    await once(this.socket, "connect");
    if (this.transport === "upgrade") await this.upgraded();
    const watching = once(this.socket, "watching");
    const ack = await ask(this.socket, "watch:order", orderId);
    return JSON.stringify(ack) === JSON.stringify(await watching) && ack.status;
  }

  async upgraded() {
    const engine = this.socket.io.engine;
    if (engine.transport.name !== "websocket") await once(engine, "upgrade");
  }

  async heard(count) {
    const deadline = Date.now() + 25_000;
    while (this.updates.length < count) {
      if (Date.now() > deadline) throw new Error(`${count} updates did not come: ${JSON.stringify(this.updates)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async echoes() {
    const back = once(this.socket, "echo:back");
    this.socket.emit("echo:event", TEXT, { bytes: BYTES, list: [1, BYTES] });
    const event = await back;
    const both = new Promise((resolve) =>
      this.socket.emit("echo:ack", TEXT, { bytes: BYTES, list: [1, BYTES] }, (...args) => resolve(args)),
    );
    const [text, data] = await within(both, "acknowledgement of echo:ack");
    const same = (value) => Buffer.from(value).equals(BYTES);
    return {
      event: event.text === TEXT && same(event.data.bytes) && same(event.data.list[1]),
      acknowledgement: text === TEXT && same(data.bytes) && same(data.list[1]),
    };
  }

  /** The server asks, the client acknowledges, with binary in the answer. */
  async asked() {
    this.socket.on("question", (text, answer) => answer(text, BYTES));
    return ask(this.socket, "ask:me", TEXT);
  }

  /** Another namespace on the same connection. */
  async other() {
    const socket = this.socket.io.socket("/echo");
    if (!this.legacy && !socket.active) socket.connect();
    if (!socket.connected) await once(socket, "connect");
    const answer = await ask(socket, "hello");
    socket.close();
    return answer;
  }
}

async function each(clients, what, does) {
  const all = clients.map((client) =>
    does(client).catch((error) => {
      throw new Error(`${client.era} ${client.transport}, ${what}: ${error.message}`);
    }),
  );
  return Promise.all(all);
}

const clients = Object.keys(eras).flatMap((era) => Object.keys(transports).map((transport) => new Client(era, transport)));
const found = clients.map(({ era, transport }) => ({ era, transport }));
const keep = (name, values) => values.forEach((value, i) => (found[i][name] = value));
const expired = sign({ userId: 42, exp: Math.floor(Date.now() / 1000) - 1 });

keep("refusals", await each(clients, "refusal", async (c) => [await c.refusal(""), await c.refusal("not.a.token"), await c.refusal(expired)]));
const { orderId } = await rest("POST", "/api/orders", { customerId: 42 });
keep("watching", await each(clients, "connect", (c) => c.connect(orderId)));
await rest("PATCH", `/api/orders/${orderId}`, { status: "accepted" });
await each(clients, "first update", (c) => c.heard(1));
keep("echoes", await each(clients, "echoes", (c) => c.echoes()));
keep("asked", await each(clients, "asked", (c) => c.asked()));
keep("other", await each(clients, "other namespace", (c) => c.other()));
await rest("PATCH", `/api/orders/${orderId}`, { status: "preparing" });
await each(clients, "second update", (c) => c.heard(2));
keep("ends", clients.map((c) => c.socket.io.engine.transport.name));
keep(
  "reconnected",
  await each(clients, "reconnect", async (c) => {
    const gone = once(c.socket, "disconnect");
    c.socket.disconnect();
    const reason = await gone;
    const back = once(c.socket, "connect");
    c.socket.connect();
    await back;
    return reason;
  }),
);
await rest("PATCH", `/api/orders/${orderId}`, { status: "ready" });
await each(clients, "third update", (c) => c.heard(3));
keep("updates", clients.map((c) => c.updates));
keep(
  "cut",
  await each(clients, "cut", async (c) => {
    const gone = once(c.socket, "disconnect");
    c.socket.io.engine.close();
    await gone;
    await once(c.socket, "connect"); // by itself
    if (c.transport === "upgrade") await c.upgraded();
    return c.socket.connected;
  }),
);
keep(
  "sentAway",
  await each(clients, "sent away", async (c) => {
    const gone = once(c.socket, "disconnect");
    c.socket.emit("send:me:away");
    return gone;
  }),
);
for (const one of found) console.log(JSON.stringify(one));
process.exit(0);
