// Whether a key that is to be kept (rotationPolicy Never) is of another kind than the spec asks for. Called by observe-certificate.ts.

import type { Certificate } from '../api/certmanager.ts';
import { effectiveKey, type KeyKind, keyMatchesSpec, kindOfKey } from '../pki/keys.ts';
import type { SecretSeen } from '../plan/seen.ts';
import type { Attempt } from './attempt.ts';

/** A sentence with both kinds: only its owner can say which of the two wishes counts, since clients may have pinned the key. */
export function unfitKey({ spec }: Certificate, secret: SecretSeen, { secret: known }: Attempt): string | undefined {
  const { privateKey, secretName } = spec;
  if (privateKey?.rotationPolicy !== 'Never' || secret.kind !== 'ours' || known?.kind !== 'content') return undefined;
  const { leaf } = known.content;
  if (leaf === undefined || secret.facts.leaf?.origin !== 'issuer') return undefined;
  const found = kindOfKey(leaf.publicKey);
  if (found === undefined || keyMatchesSpec(leaf.publicKey, privateKey)) return undefined;
  const [has, wants] = [found, effectiveKey(privateKey)].map(spell);
  return `Secret "${secretName}" holds a key of kind ${has}, the spec asks for ${wants}, and spec.privateKey.rotationPolicy is Never: ask for ${has}, or set the policy to Always for a new key.`;
}

function spell({ algorithm, size }: KeyKind): string {
  return algorithm === 'Ed25519' ? algorithm : `${algorithm} ${size}`;
}
