// The change of an account's key (RFC 8555 §7.3.5): asked with the old key, consented to by the new one. Called by apply/rollover.ts, which has
// made the new key durable before.

import type { KeyObject } from 'node:crypto';
import { postTo } from './at-directory.ts';
import { algorithmOf, keyChangeStatement } from './jws.ts';
import type { AcmeReply, AcmeSession } from './session.ts';

/**
 * From a good answer on only `next` speaks for the account. A problem that is `network` (maybe sent), `unavailable` or `malformed` leaves open which
 * key does: findAccount tells.
 */
export async function changeKey(
  session: AcmeSession,
  next: KeyObject,
  signal?: AbortSignal,
): Promise<AcmeReply<'changed'>> {
  const { endpoint, key, accountUrl } = session;
  if (algorithmOf(next) === undefined) throw new Error('the new account key cannot sign for ACME');
  const draft = async (url: string) => ({
    key,
    accountUrl,
    payload: await keyChangeStatement({ old: key, next }, accountUrl, url),
    accepts: 'nothing' as const,
    read: () => ({ ok: true, value: 'changed' }) as const,
  });
  return postTo(endpoint, 'keyChange', draft, signal);
}
