import { appendFile, readFile } from "node:fs/promises"

/** A refund, as the payment system keeps it. */
export interface Refund {
  readonly key: string
  readonly order: string
  readonly cents: number
}

/**
 * Stands for the payment system that a product already has: a file that only grows, one refund a line. It can be asked whether a
 * refund happened, which is what makes the tool `reconcilable`.
 */
class Payments {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /** Refunds an order, once for each key. */
  async refund(order: string, cents: number, key: string): Promise<Refund> {
    const known = await this.findRefund(order, key)
    if (known) return known
    const refund: Refund = { key, order, cents }
    await appendFile(this.#file, `${JSON.stringify(refund)}\n`)
    return refund
  }

  /** The refund made under this key, if there is one. */
  async findRefund(order: string, key: string): Promise<Refund | undefined> {
    const refunds = await this.#all()
    return refunds.find((refund) => refund.key === key && refund.order === order)
  }

  async #all(): Promise<readonly Refund[]> {
    try {
      const text = await readFile(this.#file, "utf8")
      return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Refund]))
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return []
      throw error
    }
  }
}

export const payments: Payments = new Payments(process.env["PAYMENTS_FILE"] ?? "refunds.jsonl")
