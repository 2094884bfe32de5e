/** What the published conformance suite gets for `vitest`: ours, since it brings an older one of its own. */
export { describe, expect, test, vi } from "vitest"
