import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { DEFAULT_HOST } from "../core/defaults.ts"
import type { Io } from "../io.ts"
import { version } from "../version.ts"

export interface McpFlags extends RemoteOptions {
  readonly port?: number
}

/** `rouse mcp`: over standard input and output until they close; with `--port`, over HTTP until Ctrl-C. */
export async function mcp(flags: McpFlags, io: Io): Promise<void> {
  if (flags.port === undefined) await overStdio(flags, io)
  else await overHttp(flags, flags.port, io)
}

async function overStdio(flags: McpFlags, io: Io): Promise<void> {
  const [{ agentsServer }, { StdioServerTransport, serveStdio }] = await Promise.all([
    import("../mcp/agents-server.ts"),
    import("@modelcontextprotocol/server/stdio"),
  ])
  const client = connect(flags, io)
  const transport = new StdioServerTransport()
  const serving = serveStdio(() => agentsServer(client, version()), { transport })
  const closed = transport.onclose
  await new Promise<void>((resolve) => {
    const onclose = (): void => {
      closed?.()
      resolve()
    }
    Object.assign(transport, { onclose })
    if (io.stop.aborted) resolve()
    else io.stop.addEventListener("abort", () => resolve(), { once: true })
  })
  await serving.close()
}

/** On this machine alone. Each request acts with its own bearer token, or with ROUSE_TOKEN when it has none. */
async function overHttp(flags: McpFlags, port: number, io: Io): Promise<void> {
  const [{ agentsServer }, sdk, { getRequestListener }] = await Promise.all([
    import("../mcp/agents-server.ts"),
    import("@modelcontextprotocol/server"),
    import("@hono/node-server"),
  ])
  const handler = sdk.createMcpHandler(({ requestInfo }) =>
    agentsServer(connect(flags, withToken(io, requestInfo)), version()),
  )
  const names = sdk.localhostAllowedHostnames()
  const origins = sdk.localhostAllowedOrigins()
  const listen = getRequestListener(async (request) => {
    const refused = sdk.hostHeaderValidationResponse(request, names) ?? sdk.originValidationResponse(request, origins)
    if (refused) return refused
    return new URL(request.url).pathname === "/mcp"
      ? await handler.fetch(request)
      : new Response("not found: /mcp", { status: 404 })
  })
  const server = createServer((request, response) => {
    listen(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, DEFAULT_HOST, resolve))
  const url = `http://${DEFAULT_HOST}:${(server.address() as AddressInfo).port}/mcp`
  io.out(flags.json === true ? `${JSON.stringify({ url })}\n` : `MCP at ${io.color.cyan(url)}\n`)
  if (!io.stop.aborted)
    await new Promise<void>((resolve) => io.stop.addEventListener("abort", () => resolve(), { once: true }))
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

function withToken(io: Io, request: Request | undefined): Io {
  const [, token] = /^Bearer (.+)$/i.exec(request?.headers.get("authorization") ?? "") ?? []
  return token === undefined ? io : { ...io, env: { ...io.env, ROUSE_TOKEN: token } }
}
