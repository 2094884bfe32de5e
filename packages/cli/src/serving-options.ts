import { Option } from "commander"
import { collectOrigin, parsePublicUrl, parseWhole } from "./core/arguments.ts"
import { collectRetention } from "./core/retention.ts"

/** Options that several of the serving commands have: what each means is said once. */

/** What is named may be read from a list in the environment, which shows no password to who lists processes. */
export function pgSourceOption(): Option {
  const text = "a database whose installed tables rouse agents; may be repeated; or ROUSE_PG_SOURCES"
  return new Option("--pg-source <name=url>", text).argParser(
    (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
  )
}

export function retentionOption(): Option {
  const text = "history to keep of streams, like entities/=90d or events/=7d,100mb; may be repeated"
  return new Option("--retention <prefix=keep>", text).argParser(collectRetention)
}

export function loopbackWebhooksOption(): Option {
  return new Option("--allow-loopback-webhooks", "deliver to webhooks on this machine, for development")
}

export function publicUrlOption(): Option {
  return new Option("--public-url <url>", "where receivers of webhooks find this server").argParser(parsePublicUrl)
}

export function rateLimitOption(): Option {
  return new Option("--rate-limit <number>", "requests to streams a second that each token may make").argParser(
    (text: string) => parseWhole("--rate-limit", text, 1, 1_000_000),
  )
}

export function corsOriginOption(): Option {
  const text = "another site whose pages may use the streams; may be repeated"
  return new Option("--cors-origin <origin>", text).argParser(collectOrigin)
}

export function logLevelOption(): Option {
  return new Option("--log-level <level>", "what to log")
    .choices(["trace", "debug", "info", "warn", "error", "silent"])
    .default("info")
}
