import { A2A_PROTOCOL_VERSION, type AgentCard } from "@a2a-js/sdk"
import type { Plane } from "../plane.ts"

/** What an agent takes and gives beside text. */
const MODES = ["text/plain", "application/json"]

/**
 * The card of an entity type: each of its agents is a conversation with it.
 *
 * @param base Where the server is reached, without a slash at its end.
 * @see A2A 1.0, §4.4.1
 */
export function cardOf(plane: Plane, type: string, base: string, options: CardOptions): AgentCard {
  const { description: said } = plane.types.need(type, `/a2a/${type}`)
  // A card must have one, and an empty text is left out of it.
  const description = said === "" ? `Agents of type ${type}` : said
  return {
    name: type,
    description,
    version: options.version,
    supportedInterfaces: [
      { url: `${base}/a2a/${type}`, protocolBinding: "JSONRPC", tenant: "", protocolVersion: A2A_PROTOCOL_VERSION },
    ],
    provider: undefined,
    capabilities: { streaming: true, pushNotifications: false, extensions: [], extendedAgentCard: false },
    securitySchemes: options.isOpen ? {} : { token: BEARER },
    securityRequirements: options.isOpen ? [] : [{ schemes: { token: { list: [] } } }],
    defaultInputModes: MODES,
    defaultOutputModes: MODES,
    skills: [
      {
        id: type,
        name: type,
        description,
        tags: [type],
        examples: [],
        inputModes: [],
        outputModes: [],
        securityRequirements: [],
      },
    ],
    signatures: [],
  }
}

export interface CardOptions {
  readonly version: string
  /** Whether no token is needed. */
  readonly isOpen: boolean
}

const BEARER: AgentCard["securitySchemes"][string] = {
  scheme: {
    $case: "httpAuthSecurityScheme",
    value: { scheme: "bearer", bearerFormat: "", description: "A token of scope write" },
  },
}
