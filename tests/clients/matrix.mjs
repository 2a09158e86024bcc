// The real socket.io-client: every place for a token × every choice of transports, through an order's life.
// Usage: node matrix.mjs URL URL_WITHOUT_WEBSOCKET SECRET ; prints a JSON line per combination.
import { createHmac } from "node:crypto";
import { io } from "socket.io-client";

const [url, withoutWebSocket, secret] = process.argv.slice(2);

function sign(claims, key = secret) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ iat: now, exp: now + 600, ...claims })}`;
  return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
}

const places = {
  auth: (token) => (token === undefined ? {} : { auth: { token } }),
  header: (token) => (token === undefined ? {} : { extraHeaders: { Authorization: `Bearer ${token}` } }),
  query: (token) => (token === undefined ? {} : { query: { token } }),
};
const transports = {
  polling: { url, options: { transports: ["polling"] }, ends: "polling" },
  websocket: { url, options: { transports: ["websocket"] }, ends: "websocket" },
  upgrade: { url, options: {}, ends: "websocket" },
  blocked: {
    url: withoutWebSocket,
    options: { transports: ["websocket", "polling"], tryAllTransports: true },
    ends: "polling",
  },
};

const within = (promise, what) =>
  Promise.race([
    promise,
    new Promise((_, reject) => setTimeout(() => reject(new Error(`timed out: ${what}`)), 20_000)),
  ]);
const once = (socket, event) => within(new Promise((resolve) => socket.once(event, resolve)), event);

async function rest(method, path, body) {
  const headers = { Authorization: `Bearer ${sign({ userId: "shop", role: "service" })}`, "Content-Type": "application/json" };
  const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  return response.json();
}

async function refusal(choice, place, token) {
  const socket = io(choice.url, { ...choice.options, ...place(token), forceNew: true, reconnection: false });
  const error = await once(socket, "connect_error");
  socket.close();
  return error.message;
}

async function run(transport, choice, name, place) {
  const found = { transport, place: name };
  found.refusals = {
    none: await refusal(choice, place, undefined),
    forged: await refusal(choice, place, sign({ userId: 42 }, "another-secret-of-the-right-length-0123456789")),
    garbage: await refusal(choice, place, "not.a.token"),
    expired: await refusal(choice, place, sign({ userId: 42, exp: Math.floor(Date.now() / 1000) - 1 })),
  };

  const order = await rest("POST", "/api/orders", { customerId: 42 });
  const socket = io(choice.url, { ...choice.options, ...place(sign({ userId: 42 })), forceNew: true });
  const updates = [];
  socket.on("order:updated", (data) => data.orderId === order.orderId && updates.push(data));
  await once(socket, "connect");
  const watching = once(socket, "watching");
  const ack = await within(socket.emitWithAck("watch:order", order.orderId), "acknowledgement");
  found.watching = JSON.stringify(await watching) === JSON.stringify(ack) && ack.status === "received";
  const changed = new Promise((resolve) =>
    socket.on("order:updated", (data) => data.orderId === order.orderId && data.status === "preparing" && resolve()),
  );
  await rest("PATCH", `/api/orders/${order.orderId}`, { status: "accepted" });
  await rest("PATCH", `/api/orders/${order.orderId}`, { status: "preparing" });
  await within(changed, "order:updated");
  found.updates = updates.map(({ status, version }) => [status, version]);
  found.ends = socket.io.engine.transport.name;
  socket.close();

  const exp = Date.now() / 1000 + 1.5;
  const brief = io(choice.url, { ...choice.options, ...place(sign({ userId: 42, exp })), forceNew: true });
  const reason = new Promise((resolve) => brief.once("disconnect", resolve));
  const forced = once(brief, "force_disconnect");
  await once(brief, "connect");
  found.forced = (await forced).reason;
  found.end = await within(reason, "disconnect");
  found.staysAway = !brief.active;
  brief.close();
  return found;
}

const runs = [];
for (const [transport, choice] of Object.entries(transports))
  for (const [name, place] of Object.entries(places)) runs.push(run(transport, choice, name, place).catch((error) => {
      throw new Error(`${transport}, ${name}: ${error.message}`);
    }));
for (const found of await Promise.all(runs)) console.log(JSON.stringify(found));
process.exit(0);
