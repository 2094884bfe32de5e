import {
  isEntityType,
  type WebhookKind,
  type WebhookRoute,
  type WebhookSource,
  type WebhookSourceBody,
} from "@rouse/protocol"
import { webhookSourceBody } from "@rouse/protocol/webhook-schemas"
import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseJson, parseJsonObject } from "../core/arguments.ts"
import { usage } from "../core/failure.ts"
import type { Io } from "../io.ts"
import { table } from "../output/table.ts"

/** `rouse webhooks ls`. With `--json`: one source a line. */
export async function webhooks(flags: RemoteOptions, io: Io): Promise<void> {
  const found = await connect(flags, io).webhookSources({ signal: io.stop })
  if (flags.json === true) io.out(found.map((source) => `${JSON.stringify(source)}\n`).join(""))
  else io.out(found.length === 0 ? `${io.color.dim("there are no webhook sources")}\n` : `${sourceTable(found, io)}\n`)
}

export interface AddWebhookFlags extends RemoteOptions {
  readonly kind?: WebhookKind
  readonly secret?: readonly string[]
  readonly to?: string
  readonly message?: string
  readonly where?: string
  readonly file?: string
}

/** `rouse webhooks add <name>` */
export async function addWebhook(name: string, flags: AddWebhookFlags, io: Io): Promise<void> {
  const body = flags.file === undefined ? bodyOf(flags) : await readBody(flags.file, io)
  const client = connect(flags, io)
  const source = await client.setWebhookSource(name, body, { signal: io.stop })
  if (flags.json === true) io.out(`${JSON.stringify(source)}\n`)
  else io.out(`${name} is set: have ${source.kind} send to ${client.url}/v1/webhooks/${name}\n`)
}

/** `rouse webhooks rm <name>` */
export async function removeWebhook(name: string, flags: RemoteOptions, io: Io): Promise<void> {
  await connect(flags, io).removeWebhookSource(name, { signal: io.stop })
  io.out(flags.json === true ? `${JSON.stringify({ name, removed: true })}\n` : `${name} is removed\n`)
}

function bodyOf({ kind, secret, to, message, where }: AddWebhookFlags): WebhookSourceBody {
  if (kind === undefined) throw usage("--kind is needed: github, stripe, slack, standard or hmac; or --file")
  if (secret === undefined) throw usage("--secret is needed: the name of a secret that the server's host resolves")
  if (message !== undefined && to === undefined) throw usage("--message is for the agent of --to")
  const route = to === undefined ? undefined : routeOf(to)
  return {
    kind,
    secrets: secret,
    ...(where === undefined ? {} : { where: parseJsonObject("--where", where) }),
    ...(route === undefined ? {} : { to: [message === undefined ? route : { ...route, message }] }),
  }
}

function routeOf(to: string): WebhookRoute {
  const [type = "", ...rest] = to.replace(/^\//, "").split("/")
  const id = rest.join("/")
  if (!isEntityType(type) || id === "") throw usage(`--to is /type/id, like /triage/{body.issue.number}, not ${to}`)
  return { type, id }
}

async function readBody(path: string, io: Io): Promise<WebhookSourceBody> {
  const text = await readFile(resolve(io.cwd, path), "utf8").catch(() => {
    throw usage(`--file: ${path} cannot be read`)
  })
  const parsed = webhookSourceBody.safeParse(parseJson("--file", text))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw usage(`--file: ${path}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is no webhook source"}`)
}

function sourceTable(found: readonly WebhookSource[], io: Io): string {
  return table(
    found,
    [
      { title: "SOURCE", cell: ({ name }) => name, paint: (text) => io.color.bold(text) },
      { title: "KIND", cell: ({ kind }) => kind },
      { title: "SECRETS", cell: ({ secrets }) => secrets.join(", ") },
      { title: "TO", cell: (source) => toText(source) },
      { title: "WHERE", cell: ({ where }) => (where === undefined ? "" : JSON.stringify(where)) },
      { title: "FROM", cell: ({ from }) => from },
    ],
    { columnsMax: io.columns(), paintTitle: (text) => io.color.dim(text) },
  )
}

function toText({ name, to = [], stream }: WebhookSource): string {
  const agents = to.map(({ type, id }) => `/${type}/${id}`)
  return [...agents, ...(stream === false ? [] : [`stream webhooks/${name}`])].join(", ")
}
