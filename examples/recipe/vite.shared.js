// What both apps are built with: SIO=1.7 or SIO=4 (the default) says which socket.io-client.
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const packages = { "1.7": "socket.io-client-1", 4: "socket.io-client" };
const era = process.env.SIO ?? "4";
if (!(era in packages)) throw new Error(`SIO is ${era}; it may be ${Object.keys(packages).join(" or ")}`);

// As in 2016, pages, REST and sockets have one origin, so that Ordercast needs no setting: there it was nginx, here it
// is Vite that passes on what is for the server.
const target = process.env.ORDERCAST_URL ?? "http://127.0.0.1:3001";
const proxy = { "/api": { target }, "/socket.io": { target, ws: true } };

export const shared = {
  base: "./",
  // 1.x was written for bundlers that gave browsers Node.js's name of the global object.
  define: { global: "globalThis" },
  resolve: { alias: { "#connect": here(`connect/${era}.js`), "socket.io-client": packages[era] } },
  server: { proxy },
  preview: { proxy },
};
