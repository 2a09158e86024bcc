// The packed packages, bundled as React Native's bundler does, with the language and React Native's own globals alone: no
// DOM, no `location`, no `URL`, nothing of Node.js. Usage: node native.mjs FOLDER URL CUSTOMER_TOKEN SERVICE_TOKEN
// FOLDER has the packages installed; URL has order 17. Prints a line for each thing that held; ends by itself.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { rolldown } = require("rolldown");
const NodeSocket = require("ws");
const NodeRequest = require("xmlhttprequest-ssl").XMLHttpRequest;
const [folder, url, customer, service] = process.argv.slice(2);
const NOBODY = "127.0.0.1:1";

const ENTRY = `
import { connect, retryOnReturn } from "@ordercast/client";
import { OrdercastProvider, useOrder } from "@ordercast/react";
import { keepQueriesLive, orderQuery } from "@ordercast/react/query";
import { connect as feed, ordercastSlice, selectOrder } from "@ordercast/redux";
import { combineSlices, configureStore } from "@reduxjs/toolkit";
import { QueryClient, QueryObserver } from "@tanstack/react-query";
Object.assign(globalThis, { connect, retryOnReturn, OrdercastProvider, useOrder, keepQueriesLive, orderQuery });
Object.assign(globalThis, { feed, ordercastSlice, selectOrder, combineSlices, configureStore, QueryClient, QueryObserver });
`;

const APP = `
  const client = connect(url, { token: () => token, backoff: { first: 50, longest: 200 } });
  const store = configureStore({ reducer: combineSlices(ordercastSlice) });
  const { watchOrder } = feed({ token, client, dispatch: store.dispatch });
  const unwatch = watchOrder(17);
  const queryClient = new QueryClient();
  const query = new QueryObserver(queryClient, orderQuery(client, "17"));
  const ends = [keepQueriesLive(client, queryClient), query.subscribe(() => changed()), store.subscribe(() => changed()), unwatch];
  ends.push(retryOnReturn(client, { AppState, NetInfo }));
  client.onConnection(() => changed());
  const state = () => [client.connection.status, selectOrder(store.getState(), 17)?.status, query.getCurrentResult().data?.status].join(" ");
  const end = () => {
    for (const end of ends) end();
    queryClient.clear();
    client.disconnect();
  };
  ({ state, end });
`;

/** Whether sockets get through; fetch always does, as behind a proxy that knows HTTP alone. */
const network = { open: true, sockets: new Set() };
const through = (where) => (network.open ? where : where.replace(/\/\/[^/]+/, `//${NOBODY}`));

class WebSocket extends NodeSocket {
  constructor(where, protocols) {
    super(through(where), protocols);
    network.sockets.add(this);
    this.addEventListener("close", () => network.sockets.delete(this));
  }
}

class XMLHttpRequest extends NodeRequest {
  constructor() {
    super({});
    const open = this.open;
    this.open = (method, where, later) => open(method, through(where), later);
  }
}

const listeners = {};
const AppState = { addEventListener: (_, listener) => ((listeners.app = listener), { remove: () => delete listeners.app }) };
const NetInfo = { addEventListener: (listener) => ((listeners.net = listener), () => delete listeners.net) };

async function bundled() {
  const input = join(folder, "native.js");
  writeFileSync(input, ENTRY);
  const bundle = await rolldown({
    input,
    platform: "browser", // the files that packages name for it, which is what React Native takes too
    resolve: { conditionNames: ["react-native", "import", "default"], mainFields: ["react-native", "browser", "main"] },
    transform: { define: { "process.env.NODE_ENV": '"development"' } },
    logLevel: "silent",
  });
  const { output } = await bundle.generate({ format: "iife" });
  return output[0].code;
}

let changed = () => undefined;
const own = { setTimeout, clearTimeout, setInterval, clearInterval, fetch, AbortController, WebSocket, XMLHttpRequest };
const native = createContext({ ...own, console, navigator: { product: "ReactNative" } });
runInContext("globalThis.window = globalThis.self = globalThis.global = globalThis", native);
runInContext(await bundled(), native);
Object.assign(native, { url, token: customer, AppState, NetInfo, changed: () => changed() });
const { state, end } = runInContext(APP, native);

async function shows(wanted) {
  await new Promise((resolve) => {
    changed = () => state() === wanted && resolve();
    changed();
  });
  console.log(wanted);
}

async function moves(status) {
  const headers = { Authorization: `Bearer ${service}`, "Content-Type": "application/json" };
  const answer = await fetch(`${url}/api/orders/17`, { method: "PATCH", headers, body: JSON.stringify({ status }) });
  if (!answer.ok) throw new Error(await answer.text());
}

await shows("live received received");
await moves("accepted");
await shows("live accepted accepted");

listeners.net({ isConnected: true, type: "wifi" });
listeners.net({ isConnected: true, type: "cellular" }); // is it still there? it is
listeners.net({ isConnected: false });
network.open = false;
for (const socket of network.sockets) socket.terminate();
await shows("polling accepted accepted");
await moves("preparing");
await shows("polling preparing preparing");

network.open = true;
listeners.net({ isConnected: true });
await shows("live preparing preparing");

listeners.app("background");
for (const socket of network.sockets) socket.terminate();
await moves("ready");
listeners.app("active");
await shows("live ready ready");
end();
