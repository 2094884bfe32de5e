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
    // Node takes the types off a thread's sources with WebAssembly, and V8 crashes now and then when a thread that starts optimises the calls to it.
    execArgv: ["--wasm-wrapper-tiering-budget=2000000000"],
    // Machines are shared and noisy: what is awaited is bounded, never timed.
    expect: { poll: { timeout: 15_000 } },
    server: { deps: { inline: [/@rouse\//] } },
  },
})
