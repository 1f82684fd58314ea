// What an issuer's Secrets hold, made fit for use: every complaint names the field, the Secret and the key, and never what is in it.
// Called by make-provider.ts.

import type { SecretKeySelector } from '../api/certmanager.ts';
import type { Rfc2136Solver } from '../api/dns01-solver.ts';
import type { Reply } from '../api/reply.ts';
import { absolute, isPlainName } from './names.ts';
import { type DnsProblem, failed } from './problem.ts';
import { readAlgorithm, type TsigKey, tsigAlgorithms } from './tsig.ts';

/** The Secret's text under the selector's key; undefined where the Secret or the key is missing. */
export type ReadSecret = (ref: SecretKeySelector) => string | undefined;

/** Go clients write a selector that was never filled in with an empty name. */
export function isGiven(ref: SecretKeySelector | undefined): ref is SecretKeySelector {
  return ref !== undefined && ref.name !== '';
}

export function originOf({ name, key = '' }: SecretKeySelector): string {
  return `Secret ${name}, key ${key}`;
}

/** One word without the line break that editors leave at its end; anything else would not fit into a header. */
export function secretText(read: ReadSecret, ref: SecretKeySelector, field: string): Reply<string, DnsProblem> {
  if (ref.key === undefined || ref.key === '') {
    return failed('misconfigured', `dns01.${field} needs key: which entry of the Secret ${ref.name} to read.`);
  }
  const text = read(ref)?.trim();
  if (text === undefined) {
    return failed(
      'misconfigured',
      `dns01.${field} names the Secret ${ref.name} with the key ${ref.key}, which is not there.`,
    );
  }
  if (/^[\x21-\x7e]+$/.test(text)) return { ok: true, value: text };
  const what = text === '' ? 'is empty' : 'is no single word of printable characters';
  return failed('misconfigured', `What dns01.${field} names (${originOf(ref)}) ${what}.`);
}

/** Undefined where the issuer names no key: updates go unsigned. */
export function tsigKey(solver: Rfc2136Solver, read: ReadSecret): Reply<TsigKey | undefined, DnsProblem> {
  const { tsigSecretSecretRef: ref, tsigKeyName = '', tsigAlgorithm = '' } = solver;
  const hasName = tsigKeyName !== '';
  if (!hasName && !isGiven(ref)) return { ok: true, value: undefined };
  if (!hasName || !isGiven(ref)) {
    return failed(
      'misconfigured',
      'dns01.rfc2136 needs both tsigKeyName and tsigSecretSecretRef to sign updates, or neither.',
    );
  }
  const algorithm = readAlgorithm(tsigAlgorithm === '' ? 'HMACMD5' : tsigAlgorithm);
  if (algorithm === undefined) {
    const given = JSON.stringify(tsigAlgorithm.slice(0, 100));
    return failed('misconfigured', `dns01.rfc2136.tsigAlgorithm is ${given}; known: ${tsigAlgorithms.join(', ')}.`);
  }
  const name = absolute(tsigKeyName);
  if (!isPlainName(name)) return failed('misconfigured', 'dns01.rfc2136.tsigKeyName is no DNS name.');
  const text = secretText(read, ref, 'rfc2136.tsigSecretSecretRef');
  if (!text.ok) return text;
  // Node reads over what is not base64; a secret cut short that way would only show as BADSIG.
  const secret = Buffer.from(text.value, 'base64');
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(text.value) && secret.length > 0;
  return isBase64
    ? { ok: true, value: { name, algorithm, secret } }
    : failed(
        'misconfigured',
        `What dns01.rfc2136.tsigSecretSecretRef names (${originOf(ref)}) is not base64, as in «key { secret "…"; }».`,
      );
}
