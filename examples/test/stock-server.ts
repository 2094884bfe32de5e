import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server"
import { z } from "zod"

export interface StockServer {
  readonly url: string
  close(): void
}

/** An MCP server over Streamable HTTP, by the official SDK, behind a bearer token that it carelessly shows in its answers. */
export async function startStockServer(token: string): Promise<StockServer> {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: "stock", version: "1.0.0" })
    const input = { inputSchema: z.object({ article: z.string() }), annotations: { readOnlyHint: true } }
    server.registerTool("look", input, ({ article }) => ({
      content: [{ type: "text", text: `${article}: 3 left, as ${token} may know` }],
    }))
    return server
  })
  const server = createServer((request, response) => {
    if (request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401).end()
      return
    }
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }
      const headers = new Headers(request.headers as Record<string, string>)
      const asked = new Request(`http://localhost${request.url}`, { method: request.method ?? "GET", headers, ...body })
      handler.fetch(asked).then(
        async (answer) => {
          response.writeHead(answer.status, Object.fromEntries(answer.headers))
          for await (const chunk of answer.body ?? []) response.write(chunk)
          response.end()
        },
        () => response.destroy(),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
