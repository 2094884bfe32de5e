import { usage } from "../core/failure.ts"
import type { Io } from "../io.ts"

/** Where tokens may come from, as far as it is set. */
export interface TokenSources {
  readonly file: string | undefined
  /** Where the file's name was given. */
  readonly from: "--tokens" | "ROUSE_TOKENS_FILE"
  /** JSON as in the file, or admin tokens between commas. */
  readonly several: string | undefined
  /** One admin token. */
  readonly one: string | undefined
}

export function tokenSources(flag: string | undefined, io: Io): TokenSources {
  const env = (name: string): string | undefined => {
    const text = io.env[name]?.trim()
    return text === "" ? undefined : text
  }
  return {
    file: flag ?? env("ROUSE_TOKENS_FILE"),
    from: flag === undefined ? "ROUSE_TOKENS_FILE" : "--tokens",
    several: env("ROUSE_TOKENS"),
    one: env("ROUSE_TOKEN"),
  }
}

/** Whether there is any token, without reading one. */
export function hasTokens(flag: string | undefined, io: Io): boolean {
  const { file, several, one } = tokenSources(flag, io)
  return (file ?? several ?? one) !== undefined
}

/**
 * A site can be let in only where its requests carry tokens: anything else would let its pages act as whoever opens them.
 *
 * @throws {RouseError} when origins are named and there are no tokens.
 */
export function refuseOpenOrigins(
  flags: { readonly corsOrigin?: readonly string[]; readonly tokens?: string },
  io: Io,
): void {
  if (flags.corsOrigin === undefined || hasTokens(flags.tokens, io)) return
  throw usage("--cors-origin needs tokens: without them no other site's page is answered")
}
