import { describe } from "vitest"
import { entityTests } from "./store/entities.ts"
import { fixtureOf } from "./store/fixture.ts"
import type { OpenedStore, OpenStore } from "./store/fixture.ts"
import { forkEndTests } from "./store/fork-ends.ts"
import { forkTests } from "./store/forks.ts"
import { guardTests } from "./store/guards.ts"
import { lifeTests } from "./store/life.ts"
import { modelTests } from "./store/model.ts"
import { observationTests } from "./store/observations.ts"
import { producerTests } from "./store/producers.ts"
import { retentionTests } from "./store/retention.ts"
import { spaceTests } from "./store/spaces.ts"
import { streamTests } from "./store/streams.ts"
import { subscriptionTests } from "./store/subscriptions.ts"
import { timeTests } from "./store/time.ts"
import { workTests } from "./store/work.ts"

export type { OpenedStore, OpenStore }

/**
 * The contract of a store (`Store` of `@rouse/store`), as tests that every engine must pass. A behaviour that only one engine has is a bug.
 *
 * @param open Makes a new, empty store that reads the clock it is given.
 */
export function storeSuite(name: string, open: OpenStore): void {
  describe(`store contract: ${name}`, () => {
    const fixture = fixtureOf(open)
    streamTests(fixture)
    producerTests(fixture)
    forkTests(fixture)
    forkEndTests(fixture)
    guardTests(fixture)
    entityTests(fixture)
    timeTests(fixture)
    workTests(fixture)
    retentionTests(fixture)
    subscriptionTests(fixture)
    observationTests(fixture)
    spaceTests(fixture)
    lifeTests(fixture)
    modelTests(fixture)
  })
}

/** The sections of the contract that open a store again. */
export function reopenSuite(name: string, open: OpenStore): void {
  describe(`store contract: ${name}`, () => {
    const fixture = fixtureOf(open)
    forkEndTests(fixture)
    workTests(fixture)
    retentionTests(fixture)
    subscriptionTests(fixture)
    lifeTests(fixture)
  })
}
