import { START } from "@rouse/protocol"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { jsonPrefixLength } from "../src/core/json-prefix.ts"
import { frameJson, parseJson } from "../src/core/json-frame.ts"
import { isBoundary, offsetAt, positionOf, segmentsOf } from "../src/core/lineage.ts"
import { encodeOffset, incarnationOf } from "../src/core/offset.ts"

describe("a prefix of a JSON batch", () => {
  it("holds the first messages, however they are written", () => {
    const property = fc.property(fc.array(fc.jsonValue(), { maxLength: 6 }), fc.nat({ max: 8 }), (messages, count) => {
      const batch = frameJson(messages)
      const length = jsonPrefixLength(batch, count)
      if (count > messages.length) expect(length).toBeUndefined()
      else expect(parseJson([batch.subarray(0, length)])).toEqual(parseJson([frameJson(messages.slice(0, count))]))
    })
    fc.assert(property)
    const spaced = new TextEncoder().encode('{"a": "]},"} , [1 ,2]\n,"\\\\",')
    expect([1, 2, 3].map((count) => jsonPrefixLength(spaced, count))).toEqual([14, 23, spaced.length])
  })
})

describe("the segments of a line", () => {
  /** Fork points from the root down, each anywhere in what its source has. */
  const line = fc
    .tuple(fc.array(fc.nat({ max: 50 }), { maxLength: 6 }), fc.nat({ max: 50 }))
    .map(([points, own]) => ({ points: [0, ...points], tail: Math.max(0, ...points) + own }))

  it("cover every position once, with offsets that sort and come back", () => {
    const property = fc.property(line, ({ points, tail }) => {
      const members = points.map((at, n) => ({ id: n + 1, at, incarnation: incarnationOf(n + 1, "abcd") })).reverse()
      const segments = segmentsOf(members, tail)
      expect([segments[0]?.start, segments.at(-1)?.end]).toEqual([0, tail])
      for (const [n, segment] of segments.entries()) if (n > 0) expect(segment.start).toBe(segments[n - 1]?.end)
      const offsets = Array.from({ length: tail + 1 }, (_, position) => offsetAt(segments, position))
      expect(offsets.toSorted()).toEqual(offsets)
      expect(offsets.map((offset) => positionOf(segments, offset))).toEqual(offsets.map((_, position) => position))
    })
    fc.assert(property)
  })

  it("know an offset of a source up to the fork point only, and batches within theirs", () => {
    const [root, fork, leaf] = [1, 2, 3].map((id) => incarnationOf(id, "abcd")) as [string, string, string]
    const members = [
      { id: 3, at: 47, incarnation: leaf },
      { id: 2, at: 40, incarnation: fork },
      { id: 1, at: 0, incarnation: root },
    ]
    const segments = segmentsOf(members, 52)
    expect(positionOf(segments, START)).toBe(0)
    expect([39, 40, 41].map((at) => positionOf(segments, encodeOffset(root, at)))).toEqual([39, 40, undefined])
    expect([47, 48].map((at) => positionOf(segments, encodeOffset(fork, at)))).toEqual([47, undefined])
    expect(positionOf(segments, encodeOffset(incarnationOf(4, "abcd"), 1))).toBeUndefined()
    const asked: string[] = []
    const boundaries = [0, 40, 47, 52, 53, 10, 41].filter((at) =>
      isBoundary(segments, at, (stream, end) => asked.push(`${stream} ${end}`) > 0 && end === 10),
    )
    expect(boundaries).toEqual([0, 40, 47, 52, 10])
    expect(asked).toEqual(["1 10", "2 41"])
  })
})
