import { START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decideAppend } from "../src/core/append.ts"
import { STATES_MAX, CachedView } from "../src/core/cache.ts"
import {
  decideCheckpoint,
  LOG_PAGES_LIMIT,
  LOG_PAGES_MAX,
  PAGES_FINISHED_MAX,
  PAGES_WAITING_MAX,
} from "../src/core/checkpoint.ts"
import { encodeCursor, parseCursor } from "../src/core/cursor.ts"
import { encodeCommit } from "../src/core/encoded.ts"
import { packGroup, unpackGroup } from "../src/core/group-codec.ts"
import { encodeOffset, incarnationOf, parseOffset } from "../src/core/offset.ts"
import { Overlay } from "../src/core/overlay.ts"
import { decideProducer } from "../src/core/producer.ts"
import { newStream } from "../src/core/stream-state.ts"
import type { StreamState } from "../src/core/stream-state.ts"
import type { ObservationSource } from "../src/core/observer-index.ts"
import type { SubscriptionSource } from "../src/core/subscriber-index.ts"
import type { StoreView } from "../src/core/view.ts"

const stream = (id: number, path: string): StreamState =>
  newStream(id, incarnationOf(id, "abcd"), { path, contentType: "text/plain", nowMs: 0 })

describe("offsets", () => {
  const position = fc.maxSafeNat()
  const id = fc.integer({ min: 1, max: 2 ** 40 })

  it("come back as the position they name, for their stream alone", () => {
    fc.assert(
      fc.property(id, id, position, (one, other, at) => {
        const offset = encodeOffset(incarnationOf(one, "0000"), at)
        expect(parseOffset(incarnationOf(one, "0000"), offset)).toBe(at)
        expect(parseOffset(incarnationOf(one, "0001"), offset)).toBeUndefined()
        if (one !== other) expect(parseOffset(incarnationOf(other, "0000"), offset)).toBeUndefined()
        expect(offset).not.toMatch(/[,&=?]/)
      }),
    )
  })

  it("sort as their positions do", () => {
    fc.assert(
      fc.property(position, position, (a, b) => {
        const [left, right] = [a, b].map((at) => encodeOffset("0000001abcd", at)) as [Offset, Offset]
        expect(left < right).toBe(a < b)
      }),
    )
  })

  it("know the beginning", () => {
    expect(parseOffset("0000001abcd", START)).toBe(0)
  })
})

describe("cursors", () => {
  it("come back as they were", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e10, max: 1e10 }), fc.string(), (activeSecond, tail) => {
        const cursor = { activeSecond, url: `/t/${tail.replaceAll("\n", "")}` }
        fc.pre(!/[\r\u2028\u2029]|\/$/.test(cursor.url))
        expect(parseCursor(encodeCursor(cursor))).toEqual(cursor)
      }),
    )
  })
})

describe("producers (Durable Streams Protocol §5.2.1)", () => {
  const known = { epoch: 3, seq: 7 }
  const cases: Record<string, readonly [{ epoch: number; seq: number } | undefined, number, number, string]> = {
    "unknown, from 0": [undefined, 9, 0, "accept"],
    "unknown, not from 0": [undefined, 0, 1, "SEQUENCE_GAP"],
    "older epoch": [known, 2, 8, "STALE_PRODUCER"],
    "newer epoch from 0": [known, 4, 0, "accept"],
    "newer epoch, not from 0": [known, 4, 8, "BAD_REQUEST"],
    "an earlier sequence": [known, 3, 0, "duplicate"],
    "the last sequence": [known, 3, 7, "duplicate"],
    "the next sequence": [known, 3, 8, "accept"],
    "a sequence too far": [known, 3, 9, "SEQUENCE_GAP"],
  }
  for (const [name, [state, epoch, seq, expected]] of Object.entries(cases)) {
    it(name, () => {
      const decide = (): string => decideProducer(state, { id: "p", epoch, seq })
      if (expected === "accept" || expected === "duplicate") expect(decide()).toBe(expected)
      else expect(decide).toThrow(expect.objectContaining({ code: expected }))
    })
  }
})

describe("appends", () => {
  it("leave the state they were given alone", () => {
    const before = stream(1, "a")
    const copy = structuredClone(before)
    const decision = decideAppend(before, undefined, {
      op: "append",
      path: "a",
      data: new Uint8Array(3),
      close: true,
      nowMs: 1,
    })
    expect(before).toEqual(copy)
    expect(decision).toMatchObject({ kind: "append", next: { tail: 3, closed: true } })
  })
})

describe("packed groups", () => {
  it("come out as they went in", () => {
    const bytes = fc.uint8Array({ maxLength: 50 })
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.option(bytes, { nil: undefined }), { maxLength: 4 }), { maxLength: 4 }),
        (given) => {
          const group = given.map((ops) =>
            encodeCommit({
              guards: [{ kind: "timer", id: '\ud83d\ude00 "x"' }],
              ops: ops.map((data, n) =>
                data === undefined
                  ? { op: "putRow", url: "/t/a", collection: "c", key: String(n), value: { data: n } }
                  : { op: "append", path: "a", data, nowMs: n },
              ),
            }),
          )
          expect(unpackGroup(packGroup(group))).toEqual(group)
        },
      ),
    )
  })

  it("carry the bytes of a Buffer", () => {
    const data = Buffer.from("abcdef").subarray(2, 4)
    const [back] = unpackGroup(packGroup([encodeCommit({ ops: [{ op: "append", path: "a", data, nowMs: 0 }] })]))
    expect(back?.ops[0]).toEqual({ op: "append", path: "a", data: new Uint8Array([99, 100]), nowMs: 0 })
  })
})

describe("checkpoints", () => {
  const size = (log: number, waiting: number) => ({ log, checkpointed: log - waiting })

  it("leave a short log alone, and one that is all in the file", () => {
    expect(decideCheckpoint(size(PAGES_WAITING_MAX - 1, PAGES_WAITING_MAX - 1), false, true)).toBe("nothing")
    expect(decideCheckpoint(size(LOG_PAGES_LIMIT, 0), false, true)).toBe("nothing")
  })

  it("ask for help once when much waits", () => {
    expect(decideCheckpoint(size(PAGES_WAITING_MAX, PAGES_WAITING_MAX), false, false)).toBe("help")
    expect(decideCheckpoint(size(PAGES_WAITING_MAX, PAGES_WAITING_MAX), true, false)).toBe("nothing")
  })

  it("finish what is little in a quiet moment, or when the log is long", () => {
    expect(decideCheckpoint(size(PAGES_WAITING_MAX, PAGES_FINISHED_MAX), false, false)).toBe("nothing")
    expect(decideCheckpoint(size(PAGES_WAITING_MAX, PAGES_FINISHED_MAX), false, true)).toBe("finish")
    expect(decideCheckpoint(size(LOG_PAGES_MAX, PAGES_FINISHED_MAX), true, false)).toBe("finish")
    expect(decideCheckpoint(size(LOG_PAGES_MAX, PAGES_FINISHED_MAX + 1), false, true)).toBe("help")
  })

  it("never let it grow past the limit", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: LOG_PAGES_LIMIT }),
        fc.boolean(),
        fc.boolean(),
        (waiting, helping, quiet) => {
          expect(decideCheckpoint(size(LOG_PAGES_LIMIT, waiting), helping, quiet)).toBe("finish")
        },
      ),
    )
  })
})

describe("the writer's cache", () => {
  it("is bounded, keeps what commits leave, and forgets", () => {
    let looked = 0
    const base = { stream: (path: string) => stream((looked += 1), path) } as unknown as StoreView
    const view = new CachedView(base, NO_SUBSCRIPTIONS, NO_OBSERVATIONS)
    expect(view.stream("a")).toBe(view.stream("a"))
    const changes = new Overlay(view)
    changes.setStream("a", stream(77, "a"))
    changes.setStream("b", undefined)
    expect(view.stream("a")?.id).toBe(1)
    view.keep(changes)
    expect(view.stream("a")?.id).toBe(77)
    view.forget()
    expect(view.stream("a")?.id).toBe(2)
    for (let n = 0; n < STATES_MAX; n += 1) view.stream(`s${n}`)
    const before = looked
    view.stream("a")
    expect(looked).toBe(before + 1)
  })
})

const NO_OBSERVATIONS: ObservationSource = {
  any: () => false,
  observation: () => undefined,
  observers: () => [],
  newSerial: () => 1,
}

const NO_SUBSCRIPTIONS: SubscriptionSource = {
  all: () => [],
  subscription: () => undefined,
  links: () => [],
  newSerial: () => 1,
}
