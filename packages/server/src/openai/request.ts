import { z } from "zod"

/** What of a chat completion request means something here. Everything else that clients send is left alone. */

const MESSAGES_MAX = 10_000

const part = z.looseObject({ type: z.string(), text: z.string().optional() })
const message = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content: z.union([z.string(), z.array(part), z.null()]).optional(),
})

export interface ChatMessage {
  readonly role: "system" | "developer" | "user" | "assistant" | "tool" | "function"
  readonly content?:
    | string
    | readonly { readonly type: string; readonly text?: string | undefined }[]
    | null
    | undefined
}

export const chatRequest: z.ZodType<ChatRequest> = z.looseObject({
  model: z.string().min(1).max(256),
  messages: z.array(message).min(1).max(MESSAGES_MAX),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  n: z.literal(1, "only one choice is made").nullish(),
  user: z.string().max(512).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
})

export interface ChatRequest {
  readonly model: string
  readonly messages: readonly ChatMessage[]
  readonly stream?: boolean | null | undefined
  readonly stream_options?: { readonly include_usage?: boolean | null | undefined } | null | undefined
  readonly user?: string | null | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | null | undefined
}
