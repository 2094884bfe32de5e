/** A file that `rouse init` writes. */
export interface ProjectFile {
  readonly path: string
  readonly text: string
}

/** A small project that works as it is: `npm install && npx rouse dev`. */
export function projectFiles(name: string, rouseVersion: string): readonly ProjectFile[] {
  return [
    { path: "agents.ts", text: AGENTS },
    { path: "package.json", text: `${JSON.stringify(manifest(name, rouseVersion), null, 2)}\n` },
    { path: "tsconfig.json", text: `${JSON.stringify(TSCONFIG, null, 2)}\n` },
    { path: ".gitignore", text: "node_modules/\n.rouse/\n.env\n" },
    { path: "README.md", text: readme(name) },
  ]
}

/** A package name that npm accepts, from a directory's name. */
export function packageName(directory: string): string {
  const name = directory
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|[-]+$/g, "")
  return name === "" ? "agents" : name
}

const AGENTS = `import { defineEntity } from "@rouse/agents"

const model = process.env["MODEL"] ?? "claude-sonnet-4-5"

export const assistant = defineEntity("assistant", {
  description: "Answers whatever it is asked",
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You are a helpful assistant.", model, tools: [...ctx.tools] })
    await ctx.agent.run()
  },
})
`

function manifest(name: string, rouseVersion: string): object {
  return {
    name,
    private: true,
    type: "module",
    engines: { node: ">=22.18" },
    scripts: { dev: "rouse dev", start: "rouse start", check: "tsc" },
    dependencies: { "@rouse/agents": `^${rouseVersion}`, rouse: `^${rouseVersion}`, zod: "^4.0.0" },
    devDependencies: { "@types/node": "^24.0.0", typescript: "^7.0.0" },
  }
}

const TSCONFIG = {
  compilerOptions: {
    target: "es2023",
    module: "nodenext",
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    types: ["node"],
  },
  include: ["**/*.ts"],
}

function readme(name: string): string {
  return `# ${name}

Agents on [Rouse](https://www.npmjs.com/package/rouse), defined in \`agents.ts\`.

\`\`\`sh
npm install
npx rouse dev                             # a server and its page, on this machine
npx rouse send /assistant/one "hello"     # in another terminal
\`\`\`

Set \`ANTHROPIC_API_KEY\` for a real model, or \`OPENAI_API_KEY\` and \`MODEL=gpt-5\`; without any key, the offline \`rouse/echo\` answers.
\`agents.ts\` is loaded again when you save it. What agents did is kept in \`.rouse/\`.
`
}
