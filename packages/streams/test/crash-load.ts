/**
 * Writers that go on over the deaths of their server, and the judge of what they wrote.
 *
 * Each has a stream of its own and appends batches 0, 1, 2, … of three messages. A producer sends again what was not answered; a plain
 * writer looks up whether it is there.
 */

const MESSAGES = 3
const JSON_TYPE = { "content-type": "application/json" }

interface Message {
  readonly batch: number
  readonly part: number
}

export class CrashWriter {
  readonly #path: string
  readonly #isProducer: boolean
  /** The batch to send next. */
  #next = 0
  #acknowledged = -1
  /** What the judge has seen to be whole. */
  #judged = -1
  #offset = "-1"
  #created = false

  constructor(path: string, isProducer: boolean) {
    this.#path = path
    this.#isProducer = isProducer
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Writes until the server no longer answers. */
  async write(base: string): Promise<void> {
    const url = `${base}/${this.#path}`
    try {
      if (!this.#created) await expectStatus(fetch(url, { method: "PUT", headers: JSON_TYPE }), [200, 201])
      this.#created = true
      for (;;) {
        await this.#append(url)
        this.#acknowledged = this.#next
        this.#next += 1
      }
    } catch (error) {
      // `fetch` failed: the server is dead. Anything else is for the test.
      if (!(error instanceof TypeError)) throw error
    }
  }

  #append(url: string): Promise<void> {
    const body = Array.from({ length: MESSAGES }, (_, part) => ({ batch: this.#next, part, pad: "x".repeat(200) }))
    const producer = { "producer-id": "p", "producer-epoch": "0", "producer-seq": String(this.#next) }
    const headers = this.#isProducer ? { ...JSON_TYPE, ...producer } : JSON_TYPE
    return expectStatus(fetch(url, { method: "POST", headers, body: JSON.stringify(body) }), [200, 204])
  }

  /**
   * Reads what came since it was last asked, and sets a plain writer on where the stream ends.
   *
   * @throws {Error} when something acknowledged is missing, or anything is there in part, twice or out of order.
   */
  async judge(base: string): Promise<void> {
    for (;;) {
      const answer = await fetch(`${base}/${this.#path}?offset=${this.#offset}`)
      if (answer.status === 404 && !this.#created) return
      if (answer.status !== 200) throw new Error(`${this.#path}: a read was answered ${answer.status}`)
      this.#created = true
      this.#take((await answer.json()) as Message[])
      this.#offset = answer.headers.get("stream-next-offset") ?? ""
      if (answer.headers.get("stream-up-to-date") === "true") break
    }
    if (this.#judged < this.#acknowledged) {
      throw new Error(`${this.#path}: ${this.#acknowledged} was acknowledged, and ${this.#judged} is the last`)
    }
    if (this.#judged > this.#next) throw new Error(`${this.#path}: ${this.#judged} was never sent`)
    if (!this.#isProducer) this.#next = this.#judged + 1
  }

  #take(messages: readonly Message[]): void {
    if (messages.length % MESSAGES !== 0) throw new Error(`${this.#path}: a batch is there in part`)
    messages.forEach(({ batch, part }, at) => {
      const expected = this.#judged + 1 + Math.floor(at / MESSAGES)
      if (batch !== expected || part !== at % MESSAGES) {
        throw new Error(`${this.#path}: ${batch}.${part} is where ${expected}.${at % MESSAGES} should be`)
      }
    })
    this.#judged += messages.length / MESSAGES
  }
}

async function expectStatus(answering: Promise<Response>, statuses: readonly number[]): Promise<void> {
  const answer = await answering
  await answer.arrayBuffer()
  if (!statuses.includes(answer.status)) throw new Error(`${answer.url} was answered ${answer.status}`)
}
