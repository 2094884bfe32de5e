import { RouseError } from "@rouse/protocol"
import type { AttachmentInfo } from "@rouse/protocol"
import type { Turn } from "./core/conversation.ts"
import type { FileSupply } from "./core/files.ts"
import { filesThatFit } from "./core/files.ts"
import { NO_FILES } from "./core/prompt.ts"
import type { PromptFiles } from "./core/prompt.ts"
import type { ResolvedModel } from "./host.ts"
import type { Session } from "./session.ts"

/** Models that said no to files, as this process remembers: the oldest is forgotten. */
const REFUSING_MAX = 256
const refusing = new Set<string>()

/** Providers whose tool results may hold files. To others they are named. */
const SEES_IN_RESULTS = /^(anthropic|openai\.responses|google|amazon-bedrock|vertex)\b/

/** The files of a conversation, fetched now: they are in no row. One that is gone or cannot be read is only named. */
export async function loadFiles(
  session: Session,
  turns: readonly Turn[],
  { model, name }: ResolvedModel,
): Promise<PromptFiles> {
  const { attachments } = session
  if (attachments === undefined || refusing.has(name)) return NO_FILES
  const seesResults = SEES_IN_RESULTS.test(model.provider)
  const files = filesThatFit(turns.flatMap((turn) => filesOf(turn, seesResults)))
  if (files.length === 0) return NO_FILES
  const loaded = new Map(await Promise.all(files.map(async (file) => [file.id, await load(session, file)] as const)))
  const supply: FileSupply = ({ id, name: filename, mediaType }) => {
    const data = loaded.get(id)
    return data && { type: "file", filename, mediaType, data: { type: "data", data } }
  }
  return { messages: supply, results: seesResults ? supply : NO_FILES.results }
}

/** Whether the refusal may be for the files in the prompt: then the model is asked again, and from now on, without. */
export function refusedFiles(error: unknown, { name }: ResolvedModel, files: PromptFiles): boolean {
  if (files === NO_FILES || !RouseError.is(error, "MODEL_REFUSED") || !ABOUT_FILES.test(error.message)) return false
  const [oldest] = refusing
  if (refusing.size >= REFUSING_MAX && oldest !== undefined) refusing.delete(oldest)
  refusing.add(name)
  return true
}

const ABOUT_FILES = /image|file|media|vision|pdf|document|multimodal|content (part|type|block)|unsupported/i

function filesOf(turn: Turn, seesResults: boolean): readonly AttachmentInfo[] {
  if (turn.role === "user") return (turn.files ?? []).map(({ file }) => file)
  return turn.role === "tool" && seesResults ? turn.results.flatMap(({ files }) => files ?? []) : []
}

/** Once in a wake: each step shows it again. */
async function load(session: Session, file: AttachmentInfo): Promise<Uint8Array | undefined> {
  const known = session.files.get(file.id)
  if (known !== undefined) return known
  const bytes = await readAll(session, file)
  if (bytes !== undefined) session.files.set(file.id, bytes)
  return bytes
}

async function readAll(session: Session, file: AttachmentInfo): Promise<Uint8Array | undefined> {
  const stream = await session.attachments?.read(file.id)
  if (stream === undefined) return undefined
  const bytes = new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer())
  return bytes.length === file.size ? bytes : undefined
}
