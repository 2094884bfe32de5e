import { z } from "zod"

/** Answers in the shapes of others: OpenAI's, and A2A's, whose own specification says what is in them. */

export const chatModel: z.ZodType<object> = z.object({
  id: z.string(),
  object: z.literal("model"),
  created: z.int(),
  owned_by: z.string(),
})
export const chatModelList: z.ZodType<object> = z.object({ object: z.literal("list"), data: z.array(chatModel) })

export const chatCompletion: z.ZodType<object> = z.object({
  id: z.string(),
  created: z.int(),
  model: z.string(),
  object: z.literal("chat.completion"),
  choices: z.array(
    z.object({
      index: z.int(),
      message: z.object({ role: z.literal("assistant"), content: z.string(), refusal: z.null() }),
      finish_reason: z.string(),
      logprobs: z.null(),
    }),
  ),
  usage: z.object({
    prompt_tokens: z.number(),
    completion_tokens: z.number(),
    total_tokens: z.number(),
    prompt_tokens_details: z.object({ cached_tokens: z.number() }),
    completion_tokens_details: z.object({ reasoning_tokens: z.number() }),
  }),
})

export const chatError: z.ZodType<object> = z.object({
  error: z.object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string() }),
})

export const agentCard: z.ZodType<object> = z.looseObject({ name: z.string(), description: z.string() })
export const jsonRpcAnswer: z.ZodType<object> = z.looseObject({
  jsonrpc: z.literal("2.0"),
  id: z.union([z.string(), z.number(), z.null()]),
})
