import { defineConfig } from "vitest/config"

/** Tests run from sources: the `@rouse/source` condition comes before `dist`. */
export default defineConfig({
  resolve: { conditions: ["@rouse/source"] },
  ssr: { resolve: { conditions: ["@rouse/source"], externalConditions: ["@rouse/source"] } },
  test: {
    include: [
      "packages/*/test/**/*.test.ts",
      "packages/*/test/**/*.test.tsx",
      "examples/test/**/*.test.ts",
      "bench/test/**/*.test.ts",
    ],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    // Machines are shared and noisy: what is awaited is bounded, never timed.
    expect: { poll: { timeout: 15_000 } },
    server: { deps: { inline: [/@rouse\//] } },
  },
})
