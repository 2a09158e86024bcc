// The operators' list of all orders.
import { get, goLive } from "../../connect/live.js";
import { at, say, token } from "./page.js";

function show({ orderId, status, version }) {
  const row = at("order-" + orderId) ?? newRow("order-" + orderId);
  if (version < Number(row.dataset.version)) return; // an answer that was under way while an event came
  row.dataset.version = version;
  row.textContent = orderId + ": " + status;
}

function newRow(id) {
  const row = document.createElement("li");
  row.id = id;
  row.dataset.version = 0;
  at("orders").prepend(row);
  return row;
}

const ask = () => get("/api/orders", token).then(({ orders }) => orders.reverse().forEach(show));
const { socket } = goLive(token, ask, say);

socket.on("connect", () => {
  for (const row of at("orders").children) row.dataset.version = 0; // after a restore from a backup, versions are lower
  ask().catch(console.error);
});
socket.on("order:created", show);
socket.on("order:status_changed", show);
