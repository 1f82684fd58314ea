// Whether bytes of a Secret can be a keystore's password. Called by keystores' callers in apply/, before anything is issued.

import { isUtf8 } from 'node:buffer';
import type { Reply } from '../api/reply.ts';

/** The text that the bytes spell, or why no program could be given it; the sentence names no byte of it. */
export function readPassword(bytes: Buffer): Reply<string, string> {
  if (bytes.length === 0) return { ok: false, problem: 'it is empty' };
  return isUtf8(bytes)
    ? { ok: true, value: bytes.toString('utf8') }
    : { ok: false, problem: 'it is not text in UTF-8, so that no program could be told it' };
}
