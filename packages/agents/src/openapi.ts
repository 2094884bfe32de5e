export { openapiTools } from "./openapi/tools.ts"
export type { OpenapiOptions, OpenapiReconcile, OpenapiTools, OperationInfo } from "./openapi/tools.ts"
export type { SchemeCredentials } from "./openapi/auth.ts"
