import { isAttachmentName, mediaTypeOf, RouseError } from "@rouse/protocol"

/** @throws {RouseError} `INVALID_ARGS` naming `name` or `mediaType`. */
export function checkLabel({ name, mediaType }: { readonly name: string; readonly mediaType: string }): void {
  if (!isAttachmentName(name))
    throw new RouseError(
      "INVALID_ARGS",
      `name: ${JSON.stringify(name.slice(0, 60))} must be a file's name of at most 200 characters, without a path`,
    )
  if (mediaTypeOf(mediaType) !== mediaType)
    throw new RouseError(
      "INVALID_ARGS",
      `mediaType: ${JSON.stringify(mediaType.slice(0, 60))} must look like image/png`,
    )
}
