import { defineEntity } from "@rouse/agents"
import { offlineModel } from "../offline-model.ts"

const WORDS = `Everything we say is on the log of an agent, and this answer is read from there. Reload the page while I write, or stop
the server and start it again: I go on where I was. Open the same address in another window, and write there too.`

const offline = offlineModel((words) => ({ text: `You said “${words}”. ${WORDS.replaceAll("\n", " ")}` }))

export const assistant = defineEntity("assistant", {
  description: "Talks to whoever is in the chat",
  async handler(ctx) {
    ctx.useAgent({
      systemPrompt: "You are a helpful assistant.",
      model: process.env["ANTHROPIC_API_KEY"] ? "claude-sonnet-4-5" : offline,
    })
    await ctx.agent.run()
  },
})
