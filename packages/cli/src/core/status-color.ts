import type { EntityStatus } from "@rouse/protocol"
import type { Palette } from "./look.ts"

/** An entity's status in its colour. */
export function paintStatus(status: EntityStatus, color: Palette, text: string = status): string {
  switch (status) {
    case "running":
      return color.green(text)
    case "queued":
    case "suspended":
      return color.yellow(text)
    case "dead":
      return color.red(text)
    case "paused":
    case "stopped":
      return color.dim(text)
    case "idle":
      return text
  }
}
