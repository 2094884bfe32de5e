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
