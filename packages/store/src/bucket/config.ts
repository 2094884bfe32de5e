import { RouseError } from "@rouse/protocol"

/** A bucket that speaks S3's wire format, and who may write to it. */
export interface BucketConfig {
  /** What the addresses of objects begin with, with a slash at the end. */
  readonly base: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const PREFIX = /^[A-Za-z0-9/_.-]{0,200}$/

/**
 * Reads `s3://bucket/prefix?endpoint=…&region=…`, with credentials from the environment as AWS names them. Without an endpoint it is AWS.
 *
 * @param field What the address was given as, for errors: a variable of the environment.
 * @throws {RouseError} `BAD_REQUEST` naming what is missing or wrong; never with a credential.
 */
export function bucketConfig(
  field: string,
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): BucketConfig {
  const wrong = (rule: string): RouseError => new RouseError("BAD_REQUEST", `${field} ${rule}`, { details: { field } })
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== "s3:" || !BUCKET.test(url.hostname)) throw wrong("must look like s3://bucket/prefix")
  if (url.username !== "" || url.password !== "")
    throw wrong("must hold no credentials: they come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
  const unknown = [...url.searchParams.keys()].find((name) => name !== "endpoint" && name !== "region")
  if (unknown !== undefined) throw wrong(`knows no option "${unknown}"; there are endpoint and region`)
  const prefix = url.pathname.replace(/^\/+|\/+$/g, "")
  if (!PREFIX.test(prefix)) throw wrong("prefix: letters, digits and /_.- only")
  const region = url.searchParams.get("region") ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"] ?? "us-east-1"
  const endpoint = url.searchParams.get("endpoint") ?? env["AWS_ENDPOINT_URL_S3"]
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = env
  if (!accessKeyId || !secretAccessKey)
    throw wrong("needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment")
  const root =
    endpoint === undefined
      ? `https://${url.hostname}.s3.${region}.amazonaws.com`
      : `${endpointOf(endpoint, wrong)}/${url.hostname}`
  const base = `${root}/${prefix === "" ? "" : `${prefix}/`}`
  return { base, region, accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
}

function endpointOf(text: string, wrong: (rule: string) => RouseError): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if ((url?.protocol === "https:" || url?.protocol === "http:") && url.username === "" && url.search === "")
    return `${url.origin}${url.pathname}`.replace(/\/+$/, "")
  throw wrong("endpoint: must be an http or https address")
}
