// Two clients of the 2016 recipe, of one era and one user: each connects again when the server has sent it away.
// Usage: node recipe.mjs ERA TOKEN APART QUIET URL URL ; the second comes APART s after the first. Once nothing has
// happened to either for QUIET s, prints a JSON line per client with what had happened to it.
import io17 from "sio-1.7";
import { io as io4 } from "socket.io-client";

const [era, token, apart, quiet, ...urls] = process.argv.slice(2);
const legacy = era < "3";
let last = Date.now();

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

function come(url) {
  const client = { happened: [], connected: () => socket.connected };
  const note = (what) => {
    last = Date.now();
    client.happened.push(what);
  };
  const socket = legacy
    ? io17(url, { query: `token=${token}`, forceNew: true })
    : io4(url, { auth: { token }, forceNew: true });
  socket.on("connect", () => note("connect"));
  socket.on("force_disconnect", ({ reason }) => note(`force_disconnect: ${reason}`));
  socket.on(legacy ? "error" : "connect_error", (error) => note(`refused: ${error.message ?? error}`));
  socket.on("disconnect", (reason) => {
    note(reason);
    if (reason === "io server disconnect") socket.connect();
  });
  return client;
}

const clients = [come(urls[0])];
await wait(Number(apart));
clients.push(come(urls[1]));
last = Date.now();
while (Date.now() - last < Number(quiet) * 1000) await wait(0.1);
for (const { happened, connected } of clients) console.log(JSON.stringify({ happened, connected: connected() }));
process.exit(0);
