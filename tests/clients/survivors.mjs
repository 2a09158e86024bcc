// Shop pages in Socket.IO clients of every era, which come back by themselves whatever happens to their connections.
// Usage: node survivors.mjs CONFIG.json
// CONFIG: {url, history, clients: [{client, era, transport, user, role, token, watches, barrier}]}.
// Each client's history goes to the file `history`, as JSON lines (tests/histories.py says which). Prints "connected"
// once all have been; on the line "finish" on stdin waits until all that was sent has arrived at everyone, and ends.
import { createWriteStream, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import io14 from "sio-1.4";
import io17 from "sio-1.7";
import io2 from "sio-2";
import { io as io3 } from "sio-3";
import { io as io4 } from "socket.io-client";

const config = JSON.parse(readFileSync(process.argv[2], "utf8"));
const eras = { "1.4.8": io14, "1.7.4": io17, "2.5.0": io2, "3.1.3": io3, "4.8.4": io4 };
const transports = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };
const EVENTS = ["order:created", "order:updated", "order:status_changed", "order:changed"];
const FINISH = 60_000; // ms that only bound a failure
const history = createWriteStream(config.history);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let upset = 0; // what old libraries throw where nobody can catch it, of which a page in a browser would learn nothing

process.on("uncaughtException", (error) => {
  upset += 1;
  console.error(error.stack);
});

class Page {
  constructor(me) {
    this.me = me;
    this.legacy = me.era < "3";
    this.orders = new Map(); // order id → version
    this.cursor = null; // the newest that the server said
    this.fetched = null; // the position of the last snapshot
    this.stale = true; // without a snapshot of what it follows
    this.fetches = 0;
    this.unanswered = new Set();
    this.connections = 0;
    this.last = false; // whether an answer to a watch is only waited for
    this.over = false;
    this.write("hello", { user: me.user, role: me.role, watches: me.watches, era: me.era, transport: me.transport });
    this.open();
  }

  write(what, rest = {}) {
    if (!this.over) history.write(`${JSON.stringify({ client: this.me.client, what, ...rest, at: Date.now() })}\n`);
  }

  open() {
    const options = {
      transports: transports[this.me.transport],
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 500,
      timeout: 5_000,
    };
    if (this.legacy) options.query = this.credentials();
    else options.auth = (reply) => reply(this.credentials());
    const socket = (this.socket = eras[this.me.era](config.url, options));
    // 1.x and 2.x resend the query that their manager was made with, so it is renewed before each attempt.
    if (this.legacy) socket.io.on("reconnect_attempt", () => (socket.io.opts.query = this.credentials()));
    socket.on("connect", () => this.connected());
    socket.on("disconnect", (reason) => this.write("disconnect", { reason }));
    socket.on("connect_error", (error) => !this.legacy && this.refused(error));
    socket.on("error", (error) => this.legacy && this.refused(error));
    for (const event of EVENTS) socket.on(event, (data) => this.heard(event, data));
    socket.on("position", (cursor) => {
      this.cursor = cursor;
      this.write("position", { cursor });
    });
    socket.on("caught_up", ({ position }) => this.write("caught_up", { position }));
    socket.on("resync", ({ position }) => {
      this.write("resync", { position });
      this.cursor = this.fetched = null;
      this.fetch();
    });
    socket.on("shop:note", ({ to, note }) => this.write("note", { to, note }));
    socket.on("watching", (order) => this.watching(order));
  }

  /** The token, and where to go on from: the newest cursor, or the position of the snapshot if none has come since. */
  credentials() {
    this.since = this.stale ? null : (this.cursor ?? this.fetched);
    return this.since === null ? { token: this.me.token } : { token: this.me.token, since: this.since };
  }

  refused(error) {
    this.write("disconnect", { refused: error?.message ?? String(error) });
    if (this.socket.active === false && !this.over) setTimeout(() => this.over || this.socket.connect(), 200);
  }

  connected() {
    const recovered = this.socket.recovered === true;
    this.connections += 1;
    this.last = false;
    this.write("connect", { since: this.since, recovered });
    if (this.stale || (this.since === null && !recovered)) this.fetch();
    if (!recovered) this.unanswered = new Set(this.me.watches);
    for (const order of this.unanswered) this.socket.emit("watch:order", order);
  }

  heard(event, { orderId, version, status, position }) {
    const applied = version > (this.orders.get(orderId) ?? 0);
    if (applied) this.orders.set(orderId, version);
    this.write("event", { event, orderId, version, position, applied, ...(status === undefined ? {} : { status }) });
  }

  watching({ orderId, version, status, position }) {
    if (this.last || !this.me.watches.includes(orderId)) return;
    this.unanswered.delete(orderId);
    this.show({ orderId, version });
    this.write("watching", { orderId, version, status, position });
  }

  show({ orderId, version }) {
    this.orders.set(orderId, Math.max(version, this.orders.get(orderId) ?? 0));
  }

  /** Its orders by REST, as often as it takes; a newer call takes over from an older one. */
  async fetch() {
    const mine = ++this.fetches;
    this.stale = true;
    const isOld = () => mine !== this.fetches || this.over;
    while (!isOld()) {
      try {
        const { orders, position } = await this.list();
        if (isOld()) return;
        orders.forEach((order) => this.show(order));
        this.fetched = position;
        this.stale = false;
        const shown = orders.map(({ orderId, version, status }) => ({ orderId, version, status }));
        this.write("snapshot", { orders: shown, position });
        return;
      } catch {
        await sleep(100); // cut, or the server is away
      }
    }
  }

  async list() {
    if (this.me.role === "service") return { orders: [], position: 0 }; // follows nothing but what it watches
    const found = { orders: [], position: null };
    let next = null;
    do {
      const query = next === null ? "" : `&cursor=${encodeURIComponent(next)}`;
      const headers = { Authorization: `Bearer ${this.me.token}` };
      const response = await fetch(`${config.url}/api/orders?limit=500${query}`, {
        headers,
        signal: AbortSignal.timeout(5_000),
      });
      if (response.status !== 200) throw new Error(`${response.status}`);
      const page = await response.json();
      found.position ??= page.position;
      found.orders.push(...page.orders);
      next = page.next;
    } while (next !== null);
    return found;
  }

  /** Waits until all that was sent before now is here: the answer to a watch comes after it on the same connection. */
  async finish() {
    const deadline = Date.now() + FINISH;
    for (;;) {
      const connection = this.connections;
      if (Date.now() > deadline) return false;
      if (!this.socket.connected || this.stale || this.unanswered.size) {
        await sleep(20);
        continue;
      }
      this.last = true;
      let answered = false;
      this.socket.emit("watch:order", this.me.barrier, (answer) => (answered = !answer.error));
      const asked = Date.now();
      const here = () => connection === this.connections && this.socket.connected;
      while (!answered && here() && Date.now() - asked < 5_000) await sleep(20);
      if (answered && here() && !this.stale) break;
      this.last = false;
    }
    this.write("end");
    this.over = true;
    return true;
  }
}

const pages = [];
for (const me of config.clients) {
  pages.push(new Page(me));
  if (pages.length % 25 === 0) await sleep(20); // not all in one instant, as people do not come either
}
while (pages.some((page) => page.connections === 0)) await sleep(20);
console.log("connected");
for await (const line of createInterface({ input: process.stdin })) if (line === "finish") break;
const finished = await Promise.all(pages.map((page) => page.finish()));
for (const page of pages) page.socket.close();
await new Promise((resolve) => history.end(resolve));
console.log(JSON.stringify({ finished: finished.filter(Boolean).length, upset }));
process.exit(0);
