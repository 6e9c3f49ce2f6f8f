import { WireFailure } from "@synthesis/protocol";

/** The same whyever an attached file is not there: an id is a permission, and how close one came is nobody's business. */
export function fileNotFound(): WireFailure {
  const message = "there is no file with this id, or it is not kept any more: ask the agent for it again";
  return new WireFailure("file_not_found", message);
}
