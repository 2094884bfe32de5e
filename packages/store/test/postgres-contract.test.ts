import { storeSuite } from "@rouse/testkit/store-suite"
import { openEmptyStore } from "./postgres-fixture.ts"

storeSuite("in Postgres", openEmptyStore)
