// Prints what an app gets with each of the packages, as JSON: bytes after minifying and gzip. What the app brings itself
// (React, Redux Toolkit, TanStack Query) is not counted. For sizes.py.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const web = new URL("../web/", import.meta.url);
const { rolldown } = createRequire(new URL("package.json", web))("rolldown");
const APPS = {
  "socket.io-client": 'export { io } from "socket.io-client";',
  "@ordercast/client": 'export { connect } from "@ordercast/client";',
  "@ordercast/react": 'export * from "@ordercast/react";',
  "@ordercast/react/query": 'export * from "@ordercast/react"; export * from "@ordercast/react/query";',
  "@ordercast/redux": 'export * from "@ordercast/redux"; export { OrdercastClient } from "@ordercast/client";',
};

async function gzipped(app) {
  const bundle = await rolldown({
    input: "app",
    platform: "browser",
    external: [/^react($|\/)/, /^@reduxjs\/toolkit/, /^@tanstack\//],
    plugins: [{ name: "app", resolveId: (id) => (id === "app" ? fileURLToPath(new URL("app.js", web)) : null), load: (id) => (id.endsWith("app.js") ? app : null) }],
    logLevel: "silent",
  });
  const { output } = await bundle.generate({ format: "es", minify: true });
  return gzipSync(output[0].code, { level: 9 }).length;
}

const sizes = {};
for (const [name, app] of Object.entries(APPS)) sizes[name] = await gzipped(app);
console.log(JSON.stringify(sizes));
