/** What a Worker's bundler makes of files that are no code. */

declare module "*.yaml" {
  const text: string
  export default text
}

declare module "@jitl/quickjs-wasmfile-release-sync/wasm" {
  const engine: WebAssembly.Module
  export default engine
}
