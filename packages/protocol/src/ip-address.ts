/** Where an address leads: out to the internet, to this machine, or to what only this network can reach. */
export type Reach = "public" | "loopback" | "private"

type Range = readonly [base: string, bits: number]

/** Everything that IANA's registry does not call globally reachable. */
const PRIVATE_V4: readonly Range[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
]

/** Within 2000::/3, which has all public addresses: what is not reachable, or wraps an older address. */
const PRIVATE_V6: readonly Range[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
]

/** Prefixes whose last 32 bits are an older address, and reach what it reaches. */
const WRAPPED_V4: readonly Range[] = [
  ["::ffff:0:0", 96],
  ["64:ff9b::", 96],
]

/** Where an address leads; undefined when the text is none. */
export function reachOf(address: string): Reach | undefined {
  const v4 = parseV4(address)
  if (v4 !== undefined) return reachOfV4(v4)
  const v6 = parseV6(address)
  return v6 === undefined ? undefined : reachOfV6(v6)
}

function reachOfV4(value: number): Reach {
  if (value >>> 24 === 127) return "loopback"
  return PRIVATE_V4.some(([base, bits]) => value >>> (32 - bits) === (parseV4(base) ?? 0) >>> (32 - bits))
    ? "private"
    : "public"
}

function reachOfV6(value: bigint): Reach {
  if (value === 1n) return "loopback"
  if (WRAPPED_V4.some((range) => isWithin(value, range))) return reachOfV4(Number(value & 0xffffffffn))
  if (value >> 125n !== 1n) return "private"
  return PRIVATE_V6.some((range) => isWithin(value, range)) ? "private" : "public"
}

function isWithin(value: bigint, [base, bits]: Range): boolean {
  const shift = BigInt(128 - bits)
  return value >> shift === (parseV6(base) ?? 0n) >> shift
}

function parseV4(text: string): number | undefined {
  const parts = text.split(".")
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part))) return undefined
  const bytes = parts.map(Number)
  if (bytes.some((byte) => byte > 255)) return undefined
  return bytes.reduce((value, byte) => value * 256 + byte, 0)
}

function parseV6(text: string): bigint | undefined {
  const halves = withoutDots(text).split("::")
  if (halves.length > 2) return undefined
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")))
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...tail]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

/** `::ffff:1.2.3.4` with its last part in hexadecimal. A zone is of no concern to where it leads. */
function withoutDots(text: string): string {
  const plain = text.split("%")[0] ?? ""
  const at = plain.lastIndexOf(":") + 1
  const v4 = parseV4(plain.slice(at))
  if (v4 === undefined || at === 0) return plain
  return `${plain.slice(0, at)}${(v4 >>> 16).toString(16)}:${(v4 & 0xffff).toString(16)}`
}
