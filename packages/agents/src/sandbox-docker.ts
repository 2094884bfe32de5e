export { dockerSandbox } from "./node/docker-sandbox.ts"
export type { DockerSandboxOptions } from "./node/docker-sandbox.ts"
export type { DockerHost } from "./node/docker-api.ts"
