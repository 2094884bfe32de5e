import { describe, expect, test } from "vitest"
import { reachOf } from "@rouse/protocol"
import { checkWebhookUrl, isAllowedAddress } from "../src/core/webhook-url.ts"

const INSIDE = [
  "http://10.0.0.1/hook",
  "https://10.0.0.1/hook",
  "https://172.16.0.1",
  "https://172.31.255.255",
  "https://192.168.1.1",
  "https://100.64.0.1",
  "https://169.254.169.254/latest/meta-data/",
  "https://[fd00:ec2::254]/latest",
  "https://0.0.0.0",
  "https://255.255.255.255",
  "https://224.0.0.1",
  "https://[::]",
  "https://[fe80::1]",
  "https://[fc00::1]",
  "https://[fec0::1]",
  "https://[ff02::1]",
  "https://[::ffff:10.0.0.1]",
  "https://[::ffff:a9fe:a9fe]",
  "https://[64:ff9b::10.0.0.1]",
  "https://[64:ff9b:1::1]",
  "https://[2002:a00:1::]",
  "https://[2001::1]",
  "https://[2001:db8::1]",
  "https://[::10.0.0.1]",
  "https://metadata.google.internal/",
  "https://printer.local",
  "https://intranet/",
  "https://0x0a000001/",
  "https://167772161/",
  "https://012.0.0.1/",
  "https://10.1/",
]
const LOOPBACK = [
  "http://127.0.0.1:8080/hook",
  "https://127.1/",
  "https://127.255.255.254/",
  "http://localhost:3000/",
  "http://localhost./",
  "http://app.localhost/",
  "https://[::1]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[0:0:0:0:0:0:0:1]/",
]
const OTHER = [
  "",
  "hook",
  "ftp://example.com",
  "file:///etc/passwd",
  "http://example.com",
  "https://user:pw@example.com",
  "https://",
  `https://example.com/${"a".repeat(3_000)}`,
]
const PUBLIC = [
  "https://example.com/hook?x=1",
  "https://example.com:8443/",
  "https://8.8.8.8/",
  "https://[2606:4700::1111]/",
  "https://xn--bcher-kva.example/",
]

describe("a webhook's address", () => {
  test.each([...INSIDE, ...OTHER])("%s is refused, whatever is allowed", (url) => {
    for (const loopback of [true, false]) {
      expect(() => checkWebhookUrl(url, loopback)).toThrow(expect.objectContaining({ code: "WEBHOOK_URL_REJECTED" }))
    }
  })

  test.each(LOOPBACK)("%s is only for development", (url) => {
    expect(() => checkWebhookUrl(url, false)).toThrow(expect.objectContaining({ code: "WEBHOOK_URL_REJECTED" }))
    expect(checkWebhookUrl(url, true)).toBeInstanceOf(URL)
  })

  test.each(PUBLIC)("%s is allowed", (url) => {
    expect(checkWebhookUrl(url, false)).toBeInstanceOf(URL)
  })
})

test("what a name leads to is held to the same", () => {
  const secure = new URL("https://example.com")
  expect(isAllowedAddress("8.8.8.8", secure, false)).toBe(true)
  expect(isAllowedAddress("2606:4700::1111", secure, false)).toBe(true)
  for (const address of ["10.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", "169.254.169.254", "not an address", ""]) {
    expect(isAllowedAddress(address, secure, true)).toBe(false)
  }
  expect(isAllowedAddress("127.0.0.1", secure, false)).toBe(false)
  expect(isAllowedAddress("8.8.8.8", new URL("http://localhost"), true)).toBe(false)
})

test("what is no address has no reach", () => {
  for (const text of [
    "",
    "1.2.3",
    "1.2.3.256",
    "01.2.3.4",
    "1::2::3",
    ":::",
    "12345::",
    "1:2:3:4:5:6:7:8:9",
    "g::",
    "1:2:3:4:5:6:7",
  ]) {
    expect(reachOf(text)).toBeUndefined()
  }
})
