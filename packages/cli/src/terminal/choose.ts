import { choiceLines, stepChoice } from "../core/choice.ts"
import type { Option } from "../core/choice.ts"
import { glyphsFor } from "../core/look.ts"
import type { Io, TerminalInput, TerminalOutput } from "../io.ts"
import { listen } from "./keys.ts"
import { Region } from "./region.ts"

/** What a person chooses of a few; undefined when they leave. */
export function choose(
  title: string,
  options: readonly Option[],
  { input, output }: { readonly input: TerminalInput; readonly output: TerminalOutput },
  io: Io,
): Promise<string | undefined> {
  const region = new Region(output)
  let at = 0
  const draw = (): void =>
    region.draw(
      [],
      choiceLines(title, options, at, { columns: region.columns, color: io.color, glyphs: glyphsFor(io.env) }),
    )
  return new Promise((settle) => {
    const end = (value: string | undefined): void => {
      deaf()
      region.close()
      io.stop.removeEventListener("abort", leave)
      settle(value)
    }
    const leave = (): void => end(undefined)
    const deaf = listen(input, output, (key) => {
      const next = stepChoice(at, options.length, key)
      if (next === "left") return leave()
      if (next === "chosen") return end(options[at]?.value)
      at = next
      draw()
    })
    io.stop.addEventListener("abort", leave, { once: true })
    draw()
  })
}
