// The deterministic names of what one Certificate's issuance creates: a second attempt after a crash meets the first one's objects.

import { createHash } from 'node:crypto';

/** `<certificate>-<revision>`, cert-manager's name for the request. */
export function requestName(certificate: string, revision: number): string {
  return bounded(certificate, `-${revision}`);
}

/** `<certificate>-<revision>-key`: the Secret that keeps the private key until it is issued. */
export function keySecretName(certificate: string, revision: number): string {
  return bounded(certificate, `-${revision}-key`);
}

/** Another one for each making of the request: the Order of the last may still stand, held until its TXT records are gone. */
export function orderName(request: string, uid: string): string {
  return bounded(request, `-${digest(uid, 10)}`);
}

function bounded(name: string, suffix: string): string {
  const room = 253 - suffix.length;
  if (name.length <= room) return `${name}${suffix}`;
  const kept = name.slice(0, room - 11).replace(/[^a-z0-9]+$/, '');
  return `${kept}-${digest(name, 10)}${suffix}`;
}

function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}
