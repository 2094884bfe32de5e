import type { Node } from "../core/openapi-node.ts"
import { schemesFor } from "../core/openapi-security.ts"
import type { Scheme } from "../core/openapi-security.ts"
import type { Warn } from "../core/openapi-node.ts"
import type { Operation } from "../core/openapi-operation.ts"
import type { HttpAuth } from "../http/auth.ts"
import { clientCredentials } from "../http/oauth.ts"
import type { ClientCredentials, ClientCredentialsOptions } from "../http/oauth.ts"
import { isSecret } from "../secrets/secret.ts"
import type { Secret } from "../secrets/secret.ts"

/**
 * What a security scheme of a document is met with: a key or token, user and password, or a client that is given tokens, whose address and
 * scopes are the document's when absent.
 */
export type SchemeCredentials =
  | Secret
  | { readonly user: string | Secret; readonly password: Secret }
  | (Omit<ClientCredentialsOptions, "tokenUrl"> & { readonly tokenUrl?: string })

/** Meets the security of operations. Operations that need the same token share it. */
export class SchemeAuth {
  readonly #root: Node
  readonly #credentials: Readonly<Record<string, SchemeCredentials>>
  readonly #base: URL
  readonly #isPrivate: boolean | undefined
  readonly #clients = new Map<string, ClientCredentials>()

  constructor(
    root: Node,
    credentials: Readonly<Record<string, SchemeCredentials>>,
    base: URL,
    isPrivate: boolean | undefined,
  ) {
    this.#root = root
    this.#credentials = credentials
    this.#base = base
    this.#isPrivate = isPrivate
  }

  authFor(operation: Operation, warn: Warn): readonly HttpAuth[] {
    const given = new Set(Object.keys(this.#credentials))
    return schemesFor(this.#root, operation.security, given, warn).flatMap(([name, scheme]) => {
      const credentials = this.#credentials[name]
      const auth = credentials === undefined ? undefined : this.#auth(name, scheme, credentials)
      if (auth === undefined) warn(`the credentials for ${name} do not fit its scheme, ${scheme.kind}`)
      return auth === undefined ? [] : [auth]
    })
  }

  #auth(name: string, scheme: Scheme, credentials: SchemeCredentials): HttpAuth | undefined {
    if (isSecret(credentials)) {
      if (scheme.kind === "bearer" || scheme.kind === "oauth2") return { bearer: credentials }
      if (scheme.kind !== "apiKey") return undefined
      if (scheme.in === "header") return { header: scheme.name, value: credentials }
      return scheme.in === "query"
        ? { query: scheme.name, value: credentials }
        : { cookie: scheme.name, value: credentials }
    }
    if ("user" in credentials) return scheme.kind === "basic" ? { basic: credentials } : undefined
    if (scheme.kind !== "oauth2" && scheme.kind !== "bearer") return undefined
    const client = this.#client(name, scheme, credentials)
    return client === undefined ? undefined : { oauth2: client }
  }

  #client(
    name: string,
    scheme: Extract<Scheme, { kind: "oauth2" | "bearer" }>,
    credentials: Extract<SchemeCredentials, { clientSecret: Secret }>,
  ): ClientCredentials | undefined {
    const tokenUrl = credentials.tokenUrl ?? (scheme.kind === "oauth2" ? scheme.tokenUrl : undefined)
    if (tokenUrl === undefined || !URL.canParse(tokenUrl, this.#base.href)) return undefined
    const scopes = credentials.scopes ?? (scheme.kind === "oauth2" ? scheme.scopes : [])
    const key = JSON.stringify([name, scopes])
    const known = this.#clients.get(key)
    if (known !== undefined) return known
    const made = clientCredentials({
      ...(this.#isPrivate === undefined ? {} : { private: this.#isPrivate }),
      ...credentials,
      scopes,
      tokenUrl: new URL(tokenUrl, this.#base).href,
    })
    this.#clients.set(key, made)
    return made
  }
}
