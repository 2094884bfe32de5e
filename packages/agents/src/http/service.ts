import { RouseError } from "@rouse/protocol"
import type { TryLimits } from "../core/http-verdict.ts"
import type { ToolRetry } from "../tool.ts"
import type { HttpAuth } from "./auth.ts"
import type { HttpSigning } from "./sign.ts"

/** What all requests to one service have in common. */
export interface HttpService {
  /** How requests prove who sends them. Several are all applied. */
  readonly auth?: HttpAuth | readonly HttpAuth[]
  readonly sign?: HttpSigning
  /** Milliseconds for one try, from its beginning to the end of its answer. 30,000 when absent. */
  readonly timeout?: number
  /** Tries in all, and the first wait between them. 3 when absent; what may be tried again depends on the effect class. */
  readonly retry?: ToolRetry
  /** The service may be on this machine or its network, and without TLS. Outside development such addresses are refused without this. */
  readonly private?: boolean
  /** Bytes of an answer that are read; a longer one is an error. 4 MiB when absent. */
  readonly responseBytesMax?: number
  /** The header for the call's idempotency key; false: none. `Idempotency-Key` when absent. */
  readonly idempotencyHeader?: string | false
}

/** A service's options, all of them there. */
export interface Service {
  readonly auths: readonly HttpAuth[]
  readonly sign: HttpSigning | undefined
  readonly timeoutMs: number
  readonly limits: TryLimits
  readonly isPrivate: boolean | undefined
  readonly responseBytesMax: number
  readonly keyHeader: string | undefined
}

const TIMEOUT_MS = 30_000
const ATTEMPTS = 3
const ATTEMPTS_MAX = 10
const DELAY_MS = 200
const DELAY_MS_MAX = 30_000
const RESPONSE_BYTES_MAX = 4 * 1_048_576
const RESPONSE_BYTES_CEILING = 64 * 1_048_576

/**
 * @param who Names the tool in errors.
 * @throws {RouseError} `INVALID_ARGS` naming the option.
 */
export function serviceOf(options: HttpService, who: string): Service {
  const { auth = [], timeout = TIMEOUT_MS, retry, responseBytesMax = RESPONSE_BYTES_MAX } = options
  if (!(timeout > 0)) throw wrong(who, "timeout", "must be a positive number of milliseconds")
  const attempts = retry?.attempts ?? ATTEMPTS
  if (!(attempts >= 1 && attempts <= ATTEMPTS_MAX)) throw wrong(who, "retry.attempts", `must be 1 to ${ATTEMPTS_MAX}`)
  if (!(responseBytesMax > 0 && responseBytesMax <= RESPONSE_BYTES_CEILING)) {
    throw wrong(who, "responseBytesMax", `must be 1 to ${RESPONSE_BYTES_CEILING}`)
  }
  const keyHeader = options.idempotencyHeader ?? "idempotency-key"
  return {
    auths: Array.isArray(auth) ? (auth as readonly HttpAuth[]) : [auth as HttpAuth],
    sign: options.sign,
    timeoutMs: timeout,
    limits: { attempts, delayMs: retry?.delayMs ?? DELAY_MS, delayMsMax: DELAY_MS_MAX },
    isPrivate: options.private,
    responseBytesMax,
    keyHeader: keyHeader === false ? undefined : keyHeader.toLowerCase(),
  }
}

export function wrong(who: string, field: string, rule: string): RouseError {
  return new RouseError("INVALID_ARGS", `tool ${JSON.stringify(who)}: ${field} ${rule}`, { details: { field } })
}
