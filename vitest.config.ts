import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/** Test files that take minutes, whatever their size: they begin first, so that none of them is waited for alone at the end. */
const LONG = ["/testkit/test/crash", "/testkit/test/"]

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => rank(a) - rank(b))
  }
}

function rank({ moduleId }: TestSpecification): number {
  const found = LONG.findIndex((part) => moduleId.includes(part))
  return found < 0 ? LONG.length : found
}

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
    globalSetup: ["packages/testkit/src/postgres/global-setup.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    // Much of what is tested waits for processes, leases and disks: a worker for each core, none left out.
    maxWorkers: "100%",
    sequence: { sequencer: LongFirst },
    // Node takes the types off a thread's sources with WebAssembly, and V8 crashes now and then when a thread that starts optimises the calls to it.
    execArgv: ["--wasm-wrapper-tiering-budget=2000000000"],
    // Machines are shared and noisy: what is awaited is bounded, never timed.
    expect: { poll: { timeout: 15_000 } },
    server: { deps: { inline: [/@rouse\//] } },
  },
})
