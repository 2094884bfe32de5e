import type { LanguageModelV4 } from "@ai-sdk/provider"
import { RouseError } from "@rouse/protocol"
import { processEnv } from "./env.ts"
import type { Env } from "./env.ts"
import type { ModelResolver, ResolvedModel } from "./host.ts"
import { ECHO, offlineModels } from "./offline-models.ts"

/** Models kept by one resolver. */
const MODELS_MAX = 256

export interface ModelResolverOptions {
  /** The process's environment when absent. */
  readonly env?: Env
  /** Used in place of a model whose provider has no key, when no provider has one: `rouse/echo`. */
  readonly fallbackModel?: string
}

interface Provider {
  readonly name: string
  /** Bare names that belong to it. */
  readonly prefix: RegExp
  /** Variables that may hold its key, first one first. */
  readonly keys: readonly string[]
  /** Whether it works without a key. */
  readonly keyless?: boolean
  readonly baseUrls: readonly string[]
  /** Path of the API under a base URL that has none. */
  readonly path: string
  load(model: string, key: string | undefined, baseURL: string | undefined, env: Env): Promise<LanguageModelV4>
}

const PROVIDERS: readonly Provider[] = [
  {
    name: "anthropic",
    prefix: /^claude/,
    keys: ["ANTHROPIC_API_KEY"],
    baseUrls: ["ANTHROPIC_BASE_URL"],
    path: "/v1",
    load: async (model, apiKey, baseURL) => {
      const { createAnthropic } = await import("@ai-sdk/anthropic")
      return createAnthropic(settings(apiKey, baseURL))(model)
    },
  },
  {
    name: "openai",
    prefix: /^(gpt|chatgpt|o[0-9])/,
    keys: ["OPENAI_API_KEY"],
    baseUrls: ["OPENAI_BASE_URL"],
    path: "/v1",
    load: async (model, apiKey, baseURL, env) => {
      const { createOpenAI } = await import("@ai-sdk/openai")
      const openai = createOpenAI(settings(apiKey, baseURL))
      return usesResponses(baseURL, env) ? openai.responses(model) : openai.chat(model)
    },
  },
  {
    name: "google",
    prefix: /^gemini/,
    keys: ["GOOGLE_GENERATIVE_AI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"],
    baseUrls: ["GOOGLE_GENERATIVE_AI_BASE_URL", "GOOGLE_BASE_URL"],
    path: "/v1beta",
    load: async (model, apiKey, baseURL) => {
      const { createGoogleGenerativeAI } = await import("@ai-sdk/google")
      return createGoogleGenerativeAI(settings(apiKey, baseURL))(model)
    },
  },
  {
    name: "compatible",
    prefix: /^$/,
    keys: ["OPENAI_COMPATIBLE_API_KEY"],
    keyless: true,
    baseUrls: ["OPENAI_COMPATIBLE_BASE_URL"],
    path: "/v1",
    load: async (model, apiKey, baseURL) => {
      if (baseURL === undefined) {
        throw new RouseError(
          "MODEL_REFUSED",
          "compatible/… needs OPENAI_COMPATIBLE_BASE_URL: the address of an OpenAI-compatible server",
        )
      }
      const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible")
      return createOpenAICompatible({ name: "compatible", baseURL, includeUsage: true, ...(apiKey ? { apiKey } : {}) })(
        model,
      )
    },
  },
]

/**
 * Finds models by name, from the keys in the environment: `anthropic/claude-sonnet-4-5`, `claude-sonnet-4-5`, `openai/gpt-5`,
 * `gpt-5`, `google/gemini-2.5-pro`, `compatible/NAME` (any OpenAI-compatible server at `OPENAI_COMPATIBLE_BASE_URL`), `rouse/echo`.
 *
 * With `OPENAI_API_KEY` and `OPENAI_BASE_URL`, a model whose own provider has no key is asked for there, under the name it was given: such an
 * address is usually a gateway to many providers.
 *
 * Base URLs: `ANTHROPIC_BASE_URL`, `OPENAI_BASE_URL`, `GOOGLE_GENERATIVE_AI_BASE_URL`. OpenAI's own address is spoken to by the
 * Responses API, others by chat completions; `OPENAI_API=responses` or `chat` decides otherwise. A provider is loaded when it
 * is first used.
 *
 * @throws {RouseError} `MODEL_REFUSED` (from the resolver) naming the variable to set.
 */
export function modelResolver(options: ModelResolverOptions = {}): ModelResolver {
  const cache = new Map<string, Promise<ResolvedModel>>()
  return (name) => {
    const known = cache.get(name)
    if (known) return known
    const found = resolve(name, options)
    if (cache.size >= MODELS_MAX) cache.clear()
    cache.set(name, found)
    found.catch(() => cache.delete(name))
    return found
  }
}

/** Providers that have a key in `env`: what a banner shows. */
export function seenKeys(env: Env = processEnv()): readonly string[] {
  return PROVIDERS.filter((provider) =>
    provider.keyless ? first(env, provider.baseUrls) : first(env, provider.keys),
  ).map((provider) => provider.name)
}

async function resolve(name: string, options: ModelResolverOptions): Promise<ResolvedModel> {
  const env = options.env ?? processEnv()
  if (name === ECHO) return await offlineModels(env)(name)
  const { provider, model } = split(name)
  const key = first(env, provider.keys)
  if (key === undefined && !provider.keyless) {
    const gateway = gatewayOf(env)
    if (gateway) return { model: await gateway(name), name: `gateway/${name}` }
    if (seenKeys(env).length > 0 || options.fallbackModel === undefined) throw missingKey(name, provider, env)
    return await resolve(options.fallbackModel, { env })
  }
  const loaded = await provider.load(model, key, baseUrl(first(env, provider.baseUrls), provider.path), env)
  return { model: loaded, name: `${provider.name}/${model}` }
}

/**
 * A server of many providers' models, by their own names: what `OPENAI_API_KEY` with `OPENAI_BASE_URL` means for a model whose provider
 * has no key of its own.
 */
function gatewayOf(env: Env): ((name: string) => Promise<LanguageModelV4>) | undefined {
  const openai = PROVIDERS.find((provider) => provider.name === "openai")
  const key = openai && first(env, openai.keys)
  const url = openai && baseUrl(first(env, openai.baseUrls), openai.path)
  if (!openai || key === undefined || url === undefined) return undefined
  return (name) => openai.load(name, key, url, env)
}

function split(name: string): { readonly provider: Provider; readonly model: string } {
  const slash = name.indexOf("/")
  const provider =
    slash < 0
      ? PROVIDERS.find((candidate) => candidate.prefix.test(name))
      : PROVIDERS.find((candidate) => candidate.name === name.slice(0, slash))
  if (provider && name.length > slash + 1) return { provider, model: name.slice(slash + 1) }
  const known = PROVIDERS.map((candidate) => `${candidate.name}/…`).join(", ")
  throw new RouseError(
    "MODEL_REFUSED",
    `there is no model ${JSON.stringify(name)}: a name begins with ${known}, or is rouse/echo`,
  )
}

function missingKey(name: string, provider: Provider, env: Env): RouseError {
  const seen = seenKeys(env)
  const others = seen.length > 0 ? ` There is a key for ${seen.join(", ")}.` : ""
  return new RouseError(
    "MODEL_REFUSED",
    `${name} needs a key: set ${provider.keys[0]}.${others} The model "rouse/echo" works offline, without a key.`,
  )
}

function first(env: Env, names: readonly string[]): string | undefined {
  for (const name of names) if (env[name]) return env[name]
  return undefined
}

function baseUrl(value: string | undefined, path: string): string | undefined {
  if (value === undefined) return undefined
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined)
    throw new RouseError("MODEL_REFUSED", `the provider's base URL is not a URL: ${JSON.stringify(value)}`)
  return url.pathname === "/" ? url.origin + path : value.replace(/\/+$/, "")
}

function usesResponses(baseURL: string | undefined, env: Env): boolean {
  if (env["OPENAI_API"] !== undefined) return env["OPENAI_API"] === "responses"
  return baseURL === undefined || new URL(baseURL).hostname === "api.openai.com"
}

function settings(apiKey: string | undefined, baseURL: string | undefined): { apiKey?: string; baseURL?: string } {
  return { ...(apiKey ? { apiKey } : {}), ...(baseURL ? { baseURL } : {}) }
}
