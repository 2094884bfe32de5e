import { offlineModel } from "../offline-model.ts"

/** Plays the model where there is no key: looks the order up, pays back where that is asked for, and says how it went. */
export const offline = offlineModel((words, results) => {
  const order = /\d{4}/.exec(words)?.[0]
  if (!order) return { text: "Hello! What is the **number of your order**, and what is wrong with it?" }
  const [found, paid] = results as [Record<string, string | number>?, object?]
  if (!found) return { text: `Let me look up order **${order}**.`, call: { tool: "find_order", input: { order } } }
  const { item, cents, status } = found
  if (!item) return { text: `I found **no order ${order}**. Could you look at the number again?` }
  const price = `€${(Number(cents) / 100).toFixed(2)}`
  if (!/refund|money|broken/i.test(words))
    return {
      text: `| order | item | price | |\n| --- | --- | --- | --- |\n| ${order} | ${item} | ${price} | ${status} |`,
    }
  if (results.length === 1)
    return { text: "I am sorry about that. I ask for your refund.", call: { tool: "refund", input: { order, cents } } }
  if (!paid) return { text: "A colleague looked at it: **we cannot refund this order**. I am sorry." }
  const facts = `- **${price}** for the ${item} goes back to your card\n- It is there in *three working days*`
  return { text: `Your refund is on its way:\n\n${facts}\n\nKeep the ${item}, and enjoy your coffee!` }
})
