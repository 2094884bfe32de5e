import { execFileSync } from "node:child_process"
import { describe, expect, test } from "vitest"
import { complete, completionScript } from "../src/core/completion.ts"

const COMMANDS = [
  { name: "send", options: ["--mode", "--json"], arguments: ["address", "other"] as const },
  { name: "spawn", options: ["--args"], arguments: ["other"] as const },
  { name: "completion", options: [], arguments: [["bash", "zsh", "fish"]] as const },
]

describe("completion", () => {
  test.each([
    [[], ["send", "spawn", "completion"]],
    [[""], ["send", "spawn", "completion"]],
    [["s"], ["send", "spawn"]],
    [
      ["send", "--"],
      ["--mode", "--json"],
    ],
    [["send", "/a"], "address"],
    [["send", "--json", ""], "address"],
    [["send", "/a/b", ""], []],
    [["completion", "z"], ["zsh"]],
    [["nothing", ""], []],
  ])("%j", (words, expected) => expect(complete(COMMANDS, words)).toEqual(expected))

  test("the bash script is bash", () => {
    execFileSync("bash", ["-n"], { input: completionScript("bash") })
  })
})
