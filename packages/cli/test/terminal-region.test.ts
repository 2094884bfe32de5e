import { expect, test } from "vitest"
import { Region } from "../src/terminal/region.ts"
import { Screen } from "./screen.ts"

test("lines stay, and what is below them is drawn again", () => {
  const screen = new Screen(20, 6)
  const region = new Region(screen)
  region.draw(["one"], ["a", "b"])
  region.draw(["two"], ["c"])
  region.draw([], ["d", "e", "f"])
  expect(screen.text).toBe("one\ntwo\nd\ne\nf")
  region.close(["end"])
  expect(screen.text).toBe("one\ntwo\nend")
  expect(screen.written.endsWith("\u001b[?25h")).toBe(true)
})

test("of more lines than there are rows, the last are drawn; what stays is written whole", () => {
  const screen = new Screen(20, 6)
  const region = new Region(screen)
  const many = Array.from({ length: 30 }, (_, at) => `line ${at}`)
  region.draw([], many)
  expect(screen.text).toBe(many.slice(-5).join("\n"))
  region.draw(many, ["x"])
  expect(screen.text).toBe([...many, "x"].join("\n"))
})

test("the cursor stands where it is to be, and the next drawing begins above it", () => {
  const screen = new Screen(20, 6)
  const region = new Region(screen)
  region.draw(["one"], ["a", "> typed", "b"], { row: 1, column: 4 })
  expect(screen.cursor).toEqual([2, 4])
  region.draw(["two"], ["c", "> typed", "d"], { row: 1, column: 5 })
  expect(screen.text).toBe("one\ntwo\nc\n> typed\nd")
})

test("what did not change is not written again", () => {
  const screen = new Screen(20, 6)
  const region = new Region(screen)
  region.draw([], ["a"])
  const { length } = screen.written
  region.draw([], ["a"])
  expect(screen.written.length).toBe(length)
})
