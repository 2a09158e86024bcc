import { defineConfig } from "vitest/config";

// The packages' sources, not what was built from them.
const conditions = ["@ordercast/source", "module", "node", "development"];

// Vitest's reporters use it for what failed; Node.js has it from 21 on.
Map.groupBy ??= <K, V>(items: Iterable<V>, of: (item: V, index: number) => K): Map<K, V[]> => {
  const groups = new Map<K, V[]>();
  let index = 0;
  for (const item of items) {
    const name = of(item, index++);
    groups.get(name)?.push(item) ?? groups.set(name, [item]);
  }
  return groups;
};

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  // 60 s: a wait only bounds a failure, and machines are busy.
  test: { include: ["apps/**/*.test.{ts,tsx}", "packages/*/test/**/*.test.{ts,tsx}"], testTimeout: 60_000 },
});
