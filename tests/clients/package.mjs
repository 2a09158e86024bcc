// The built @ordercast/client. Usage: node package.mjs URL TOKEN ORDER_ID...
// Reads commands from stdin, a line each, and prints what it tells as JSON lines.
import { createInterface } from "node:readline";
import { connect } from "../../web/packages/client/dist/index.js";

const [url, token, ...orders] = process.argv.slice(2);
const say = (what) => console.log(JSON.stringify(what));
const spare = [];

const client = connect(url, {
  token: () => spare.shift() ?? token,
  backoff: { first: 50, longest: 400 },
  connectTimeout: 2_000,
});
const EVENTS = ["order:created", "order:updated", "order:status_changed", "order:changed", "watching", "watch:denied"];
for (const event of [...EVENTS, "token:expiring", "token:refreshed", "token:refresh_failed", "resync", "caught_up", "force_disconnect"]) {
  client.on(event, (data) => say({ event, data }));
}
client.on("connection", ({ status, reason }) => say({ event: "connection", data: { status, reason } }));
function watch(id) {
  const watched = client.watchOrder(id);
  watched.subscribe(() => {
    const { order, complete, error } = watched.current;
    say({ event: "order", data: { orderId: id, order, complete, error: error?.status } });
  });
}
for (const id of orders) watch(id);

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...rest] = line.split(" ");
  if (command === "list") {
    const list = client.watchOrders(rest[0] ? { status: rest[0].split(",") } : {});
    const tell = () => say({ event: "list", data: { complete: list.current.complete, orders: list.current.orders.map((o) => [o.orderId, o.status, o.version]) } });
    list.subscribe(tell);
  } else if (command === "watch") watch(rest[0]);
  else if (command === "token") spare.push(rest[0]);
  else if (command === "change") {
    client.changeStatus(rest[0], rest[1], { expectedVersion: Number(rest[2]) || undefined }).then(
      (order) => say({ event: "changed", data: order }),
      (error) => say({ event: "refused", data: { status: error.status } }),
    );
  } else if (command === "connect") client.connect();
  else if (command === "quit") process.exit(0);
}
