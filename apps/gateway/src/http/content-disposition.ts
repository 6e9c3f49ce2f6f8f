/**
 * The header of RFC 6266 for a file of any name: the name in ASCII for old programs, and as it is. What stands for a
 * path or ends a line in it is told as any other character.
 */
export function contentDisposition(type: "inline" | "attachment", name: string): string {
  const ascii = name.replaceAll(/[^ !#-[\]-~]|[%/]/gu, "_");
  const exact = encodeURIComponent(name.toWellFormed()).replaceAll(/['()*]/g, percentEncoded);
  return `${type}; filename="${ascii}"; filename*=UTF-8''${exact}`;
}

/** What RFC 8187 wants encoded beyond `encodeURIComponent`. */
function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
