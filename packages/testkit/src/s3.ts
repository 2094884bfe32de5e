import { createHash, createHmac, randomUUID } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export const ACCESS_KEY = "AKIDEXAMPLE"
export const SECRET_KEY = "secret-that-is-in-no-log-0123456789"

/**
 * A bucket that speaks as much of S3's wire format as Rouse uses. Every request's signature (version 4) is checked from the specification, and so is
 * the digest of every body.
 */
export class S3Server {
  readonly objects: Map<string, Buffer> = new Map()
  readonly uploads: Map<string, { readonly key: string; readonly parts: Map<number, Buffer> }> = new Map()
  readonly requests: string[] = []
  /** Answers that are still to fail, with this status. */
  failing: number[] = []
  /** While it is true, connections are cut before they are answered. */
  isDown: boolean = false
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
    })
  }

  static async open(): Promise<S3Server> {
    const server = new S3Server()
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve))
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", this.url)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const { method = "" } = request
    this.requests.push(`${method} ${url.pathname}${url.search}`)
    if (this.isDown) {
      request.socket.destroy()
      return
    }
    const failing = this.failing.shift()
    if (failing !== undefined) return this.#refuse(response, failing, "SlowDown")
    const fault = faultOf(request, url, body)
    if (fault !== undefined) return this.#refuse(response, 403, fault)
    const key = url.pathname
    const upload = this.uploads.get(url.searchParams.get("uploadId") ?? "")
    const isPart = url.searchParams.has("uploadId")
    if (isPart && upload?.key !== key) return this.#refuse(response, 404, "NoSuchUpload")
    if (method === "POST" && url.searchParams.has("uploads")) {
      const id = randomUUID()
      this.uploads.set(id, { key, parts: new Map() })
      response.end(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`)
    } else if (method === "PUT" && upload) {
      upload.parts.set(Number(url.searchParams.get("partNumber")), body)
      response.writeHead(200, { etag: tagOf(body) }).end()
    } else if (method === "POST" && upload) {
      const tags = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>&quot;([0-9a-f]+)&quot;/g)]
      const parts = tags.map(([, number, tag]) => ({ part: upload.parts.get(Number(number)), tag }))
      if (parts.some(({ part, tag }) => part === undefined || tagOf(part) !== `"${tag}"`))
        return this.#refuse(response, 400, "InvalidPart")
      if (parts.slice(0, -1).some(({ part }) => (part?.length ?? 0) < 5_242_880))
        return this.#refuse(response, 400, "EntityTooSmall")
      this.objects.set(key, Buffer.concat(parts.flatMap(({ part }) => part ?? [])))
      this.uploads.delete(url.searchParams.get("uploadId") ?? "")
      response.end("<CompleteMultipartUploadResult/>")
    } else if (method === "DELETE") {
      if (isPart) this.uploads.delete(url.searchParams.get("uploadId") ?? "")
      else this.objects.delete(key)
      response.writeHead(204).end()
    } else if (method === "PUT") {
      this.objects.set(key, body)
      response.writeHead(200, { etag: tagOf(body) }).end()
    } else this.#get(request, response, key)
  }

  #get(request: IncomingMessage, response: ServerResponse, key: string): void {
    const object = this.objects.get(key)
    if (object === undefined) return this.#refuse(response, 404, "NoSuchKey")
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? []
    if (Number(start) >= object.length) return this.#refuse(response, 416, "InvalidRange")
    if (start === undefined) response.end(object)
    else response.writeHead(206).end(object.subarray(Number(start), Number(end) + 1))
  }

  #refuse(response: ServerResponse, status: number, code: string): void {
    response.writeHead(status).end(`<Error><Code>${code}</Code><Key>${SECRET_KEY}</Key></Error>`)
  }
}

function tagOf(body: Buffer): string {
  return `"${createHash("md5").update(body).digest("hex")}"`
}

const sha256 = (text: string | Buffer): string => createHash("sha256").update(text).digest("hex")
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest()

/** What is wrong with a request's signature, if anything. */
function faultOf({ method, headers }: IncomingMessage, url: URL, body: Buffer): string | undefined {
  const [, credential, names = "", signature] =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]+)$/.exec(
      headers.authorization ?? "",
    ) ?? []
  const [accessKey, day = "", region = "", service = ""] = credential?.split("/") ?? []
  if (accessKey !== ACCESS_KEY) return "InvalidAccessKeyId"
  if (headers["x-amz-content-sha256"] !== sha256(body)) return "XAmzContentSHA256Mismatch"
  if (!names.includes("x-amz-content-sha256") || !names.includes("host")) return "AccessDenied"
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
  const signed = names.split(";").map((name) => `${name}:${String(headers[name])}\n`)
  const canonical = [
    method,
    url.pathname,
    query.join("&"),
    signed.join(""),
    names,
    headers["x-amz-content-sha256"],
  ].join("\n")
  const scope = `${day}/${region}/${service}/aws4_request`
  const text = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, sha256(canonical)].join("\n")
  const key = hmac(hmac(hmac(hmac(`AWS4${SECRET_KEY}`, day), region), service), "aws4_request")
  return hmac(key, text).toString("hex") === signature ? undefined : "SignatureDoesNotMatch"
}
