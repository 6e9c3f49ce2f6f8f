import * as z from "zod";

/** Of a session, or a name that a configuration gives. */
export const Id = z.string().min(1).max(128);

/** SHA-256, in hex. */
export const Hash = z.string().length(64);

/** What an agent sees as a session's name. */
export const SessionKey = z.string().min(1).max(1024);

/** Of a file that an agent attached: 192 random bits, so that whoever has it may read the file. */
export const FileId = z.string().regex(/^file-[\w-]{32}$/);
