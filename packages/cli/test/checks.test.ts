import { describe, expect, test } from "vitest"
import { checkKeys, checkPort, checkSpace, isBroken } from "../src/core/checks.ts"
import { modelKeysSeen } from "../src/core/model-keys.ts"

describe("what doctor says", () => {
  test("names of keys, never values", () => {
    const seen = modelKeysSeen({ ANTHROPIC_API_KEY: "sk-secret", OPENAI_API_KEY: " " })
    expect(seen).toEqual(["ANTHROPIC_API_KEY"])
    expect(checkKeys(seen).detail).toBe("ANTHROPIC_API_KEY")
    expect(checkKeys([])).toMatchObject({ status: "note" })
  })

  test("a full disk is broken, a small one is noted", () => {
    expect([50, 500, 5_000].map((mb) => checkSpace(mb * 1024 ** 2).status)).toEqual(["bad", "note", "ok"])
  })

  test("a port that a server of ours holds is well", () => {
    expect(checkPort(4437, true, undefined).status).toBe("ok")
    expect(checkPort(4437, false, "http://127.0.0.1:4437").status).toBe("ok")
    expect(checkPort(4437, false, "http://127.0.0.1:1").status).toBe("bad")
    expect(isBroken([checkPort(4437, false, undefined)])).toBe(true)
  })
})
