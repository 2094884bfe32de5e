import { defineConfig } from "vitest/config"

/** Tests run from sources: the `@rouse/source` condition comes before `dist`. */
export default defineConfig({
  resolve: { conditions: ["@rouse/source"] },
  ssr: { resolve: { conditions: ["@rouse/source"], externalConditions: ["@rouse/source"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "packages/*/test/**/*.test.tsx", "examples/test/**/*.test.ts", "bench/test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    server: { deps: { inline: [/@rouse\//] } },
  },
})
