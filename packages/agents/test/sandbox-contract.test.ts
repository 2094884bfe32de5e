import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { daytonaSandbox } from "../src/sandbox-daytona.ts"
import { dockerSandbox } from "../src/sandbox-docker.ts"
import { e2bSandbox } from "../src/sandbox-e2b.ts"
import { localSandbox } from "../src/sandbox-local.ts"
import { DaytonaService } from "./support/daytona-service.ts"
import { DockerDaemon } from "./support/docker-daemon.ts"
import { E2bService } from "./support/e2b-service.ts"
import { sandboxContract } from "./support/sandbox-contract.ts"
import type { SandboxWorld } from "./support/sandbox-contract.ts"

const KEY = "a-key-of-the-service"

async function directory(): Promise<string> {
  return await mkdtemp(join(tmpdir(), "rouse-contract-"))
}

function world(at: string, service: Partial<AsyncDisposable>, provider: SandboxWorld["provider"]): SandboxWorld {
  return {
    provider,
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]?.()
      await rm(at, { recursive: true, force: true })
    },
  }
}

sandboxContract("local", 1, async () => {
  const at = await directory()
  return world(at, {}, () => localSandbox({ directory: at }))
})

sandboxContract("Docker", 2, async () => {
  const at = await directory()
  const daemon = await new DockerDaemon(at).open()
  return world(at, daemon, () => dockerSandbox({ image: "debian:stable", docker: { socketPath: daemon.socketPath } }))
})

sandboxContract("E2B", 3, async () => {
  const at = await directory()
  const service = await new E2bService(at, KEY).open()
  const { url } = service
  return world(at, service, () => e2bSandbox({ apiKey: KEY, apiUrl: url, sandboxUrl: url }))
})

sandboxContract("Daytona", 4, async () => {
  const at = await directory()
  const service = await new DaytonaService(at, KEY).open()
  return world(at, service, () => daytonaSandbox({ apiKey: KEY, apiUrl: `${service.url}/api`, target: "us" }))
})
