import { defineConfig } from "vitest/config";

// The packages' sources, not what was built from them.
const conditions = ["@ordercast/source", "module", "node", "development"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { include: ["apps/**/*.test.{ts,tsx}", "packages/*/test/**/*.test.{ts,tsx}"] },
});
