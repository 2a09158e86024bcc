// A customer's page on one order.
import { get, goLive } from "../../connect/live.js";
import { at, orderId, say, token } from "./page.js";

let shown = 0; // the version on the page: an answer that was under way while an event came is older

function show(order) {
  if (String(order.orderId) !== orderId || order.version < shown) return;
  shown = order.version;
  at("status").textContent = order.status;
}

const ask = () => get("/api/orders/" + orderId, token).then(show);
const { socket } = goLive(token, ask, say);

socket.on("connect", () => {
  shown = 0; // after a restore from a backup, versions are lower
  socket.emit("watch:order", orderId);
});
socket.on("watching", show);
socket.on("watch:denied", (denied) => {
  // Comes also for an order that has become somebody else's.
  if (String(denied.orderId ?? orderId) === orderId) at("status").textContent = denied.error;
});
socket.on("order:updated", show);
