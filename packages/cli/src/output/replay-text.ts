import type { ReplayResult, RunDiff } from "@rouse/agents/testing"
import type { Io } from "../io.ts"
import { money } from "./money.ts"
import { clip } from "./text.ts"

type Color = Io["color"]

/** What a replay came to, run by run: what is the same, what is gone, what is new. */
export function replayText({ runs, missing, effects, same }: ReplayResult, color: Color, columns: number): string {
  const lines = runs.flatMap((run) => runLines(run, color, columns))
  for (const { name, input, asked } of missing)
    lines.push(color.yellow(`? ${name}(${JSON.stringify(input)}) is not in the recording${asked ? ": asked" : ""}`))
  if (effects.length > 0) lines.push(color.dim(`not done: ${effects.map((effect) => effect.kind).join(", ")}`))
  lines.push(same ? color.green("the same") : color.red("it went otherwise"))
  return `${lines.map((line) => clip(line, columns)).join("\n")}\n`
}

function runLines({ run, before, after, calls, same }: RunDiff, color: Color, columns: number): readonly string[] {
  const head = `${same ? color.green("=") : color.red("≠")} ${color.bold(run)} ${color.dim(numbers(before, after))}`
  if (same) return [head]
  const reply = (facts: RunDiff["before"]): string =>
    facts === null ? "(no such run)" : `${facts.status}: ${clip(JSON.stringify(facts.reply), columns - 16)}`
  const said =
    reply(before) === reply(after) ? [] : [color.red(`  - ${reply(before)}`), color.green(`  + ${reply(after)}`)]
  const marks = { both: color.dim, before: color.red, after: color.green }
  const signs = { both: " ", before: "-", after: "+" }
  const called = calls.map((call) => marks[call.in](`  ${signs[call.in]} ${call.name}(${JSON.stringify(call.input)})`))
  return [head, ...called, ...said]
}

function numbers(before: RunDiff["before"], after: RunDiff["after"]): string {
  const pair = (of: (facts: NonNullable<RunDiff["before"]>) => string): string => {
    const [was, is] = [before ? of(before) : "–", after ? of(after) : "–"]
    return was === is ? was : `${was} → ${is}`
  }
  return `steps ${pair(({ steps }) => String(steps))}, tokens ${pair(({ tokens }) => String(tokens))}, ${pair(({ usd }) => money(usd))}`
}
