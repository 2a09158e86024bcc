// Builds each page into the Python package. A page is served as {base}/board, without a slash behind it, so its
// relative links begin at {base}: HTML at the root of the output, assets in one folder beside it.
import { cp, mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "src", "ordercast", "web");
const apps = ["board", "track"];

/** What react-aria says by itself comes in 34 languages; the board, which tells it to speak English, in one. */
const english = {
  name: "english",
  load: (id) => (/[\\/]react-(aria|stately)[^?]*[\\/]intl[\\/].*[a-z]{2}-[A-Z]{2}\.mjs$/.test(id) && !id.endsWith("en-US.mjs") ? "export default {};" : null),
};

/** What a page imports once it runs is read beside its first code, and not after it. */
const besides = {
  name: "besides",
  transformIndexHtml: {
    order: "post",
    handler(_, { chunk, bundle }) {
      const found = new Set();
      const find = (file) => {
        if (found.has(file) || file === chunk.fileName) return;
        found.add(file);
        bundle[file].imports.forEach(find);
      };
      for (const file of chunk.dynamicImports) find(file);
      for (const file of chunk.imports) found.delete(file); // named already
      return [...found].map((file) => ({ tag: "link", attrs: { rel: "modulepreload", crossorigin: true, href: `./${file}` }, injectTo: "head" }));
    },
  },
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
for (const app of apps) {
  await build({
    root: join(here, "apps", app),
    base: "./",
    configFile: false,
    logLevel: "warn",
    plugins: [english, besides],
    build: {
      outDir: out,
      emptyOutDir: false,
      assetsDir: "assets",
      target: "es2020",
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 600,
      // "use client" is for those who render on a server.
      rolldownOptions: { onLog: (level, log, tell) => log.code !== "MODULE_LEVEL_DIRECTIVE" && tell(level, log) },
    },
  });
  await rename(join(out, "index.html"), join(out, `${app}.html`));
}

// The official browser client, served where every Socket.IO server serves it.
const client = join(here, "node_modules", "socket.io-client", "dist");
await mkdir(join(out, "socket.io"));
for (const file of await readdir(client)) {
  if (/^socket\.io\.(esm\.min\.|msgpack\.min\.|min\.)?js(\.map)?$/.test(file)) await cp(join(client, file), join(out, "socket.io", file));
}
await mkdir(join(out, "docs"));
for (const file of ["swagger-ui-bundle.js", "swagger-ui.css"]) {
  await cp(join(here, "node_modules", "swagger-ui-dist", file), join(out, "docs", file));
}
