import type { Scenario } from "@rouse/testkit/simulate"
import { chair, speaker } from "../patterns/blackboard.ts"
import { billing, frontDesk, shipping } from "../patterns/dispatcher.ts"
import { mapper, wordCount } from "../patterns/map-reduce.ts"

const DOCUMENTS = Array.from({ length: 12 }, (_, n) => `Owls hoot at ${n % 3 === 0 ? "night" : "dawn"}.`)

/** What the patterns are asked while things go wrong. */
export const SCENARIOS: Readonly<Record<"debate" | "map-reduce" | "dispatcher", Scenario>> = {
  debate: {
    entities: [chair, speaker],
    asks: [{ to: "/chair/tabs", args: { rounds: 3 }, content: "tabs are better than spaces" }],
    shared: { tabs: ["points"] },
  },
  "map-reduce": {
    entities: [wordCount, mapper],
    asks: [{ to: "/word-count/owls", content: DOCUMENTS }],
  },
  dispatcher: {
    entities: [frontDesk, billing, shipping],
    asks: [
      { to: "/front-desk/a", content: "where is my refund?" },
      { to: "/front-desk/b", content: "where is my parcel?" },
      { to: "/front-desk/c", content: "is my invoice paid?" },
    ],
  },
}
