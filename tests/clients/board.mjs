// What a board asks of @ordercast/client: board.mjs URL TOKEN_OF_ANA TOKEN_OF_ADA ORDER_ID
import { connect } from "../../web/packages/client/dist/index.js";

const [url, ana, ada, id] = process.argv.slice(2);
const say = (what) => console.log(JSON.stringify(what));
const live = (client) =>
  new Promise((resolve) => {
    client.on("connection", ({ status }) => status === "live" && resolve());
  });

const board = connect(url, { token: ana });
const admin = connect(url, { token: ada });
await Promise.all([live(board), live(admin)]);

say({ claimed: (await board.claim(id)).claimedBy });
await admin.claim(id).catch(({ status, details }) => say({ refused: [status, details.claimedBy] }));
say({ "taken over": (await admin.claim(id, { from: "ana" })).claimedBy });
say({ released: (await admin.release(id)).claimedBy });
const ids = async (search) => (await board.listOrders(search)).orders.map(({ orderId }) => orderId);
say({ found: await ids({ q: "ete", status: ["received", "accepted"], limit: 5 }) });
say({ none: await ids({ q: "ete", status: "ready" }) });
say({ created: (await board.stats()).created });
say({ online: (await board.presence()).operatorsOnline });
say({ me: (await board.board()).me });
const changed = new Promise((resolve) => board.on("board:changed", resolve));
say({ set: (await admin.setTargets({ ready: 90, preparing: null })).targets });
say({ changed: await changed });
await board.changeStatus(id, "accepted");
say({ corrected: (await board.changeStatus(id, "received", { reason: "the wrong one" })).status });
board.disconnect();
admin.disconnect();
