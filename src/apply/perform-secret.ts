// Writes the target Secret: the issued pair, the self-signed stand-in that serves until then, or the same pair in another form. Called by certificate.ts.

import { type KeyObject, randomBytes } from 'node:crypto';
import type { Secret } from '../api/core.ts';
import { annotations, secretFieldManager } from '../api/names.ts';
import { secrets } from '../api/resources.ts';
import { readCertificate, splitPem } from '../pki/certificate.ts';
import { createCsr } from '../pki/csr.ts';
import { fingerprint, keyFromPem, keyToPem } from '../pki/keys.ts';
import { namesOfSpec } from '../pki/names.ts';
import { selfSign } from '../pki/sign.ts';
import { fieldsOf } from '../plan/owned-fields.ts';
import { type Gathered, gatherKeystores } from './keystore-passwords.ts';
import { type Done, onward, stopped, type Turn } from './perform.ts';
import { noteSecret } from './perform-key.ts';
import {
  decode,
  defaultType,
  encodingOf,
  mismatches,
  originOf,
  readSecret,
  type SecretContent,
  standInSerial,
} from './secret-content.ts';
import { type SecretMatter, secretObject } from './secret-object.ts';
import { chainOf, filesOf, type KeystoreMemory, keystoreStamp } from './see-keystores.ts';

const standInLifeMs = 90 * 86_400_000;

/** Writes the pair, unless the issuer returned something else than was asked: that would be issued again for ever. */
export async function writeSecret(turn: Turn): Promise<Done> {
  const { attempt } = turn;
  const { key, signed } = attempt;
  if (key === undefined || key.kind === 'lost' || signed === undefined) return onward;
  const wrong = unusable(turn, signed.chainPem, key.fingerprint);
  if (wrong !== undefined) {
    delete attempt.signed;
    attempt.failure = wrong;
    return onward;
  }
  return writePair(turn, signed, key.key);
}

/** RFC 5280 §4.1.2.6 leaves the subject to us: this serial number in it marks the stand-in, as cert-manager's does. */
export async function writeTemporary(turn: Turn): Promise<Done> {
  const { ports, certificate, attempt } = turn;
  const { key } = attempt;
  if (key === undefined || key.kind === 'lost') return onward;
  const subject = { serialNumber: standInSerial };
  const csr = await createCsr({ key: key.key, names: namesOfSpec(certificate.spec), subject });
  const notBefore = Math.floor(ports.now() / 1000) * 1000;
  const usages = certificate.spec.usages ?? [];
  const terms = { csr, key: key.key, notBefore, notAfter: notBefore + standInLifeMs, usages, isCA: false };
  const signed = await selfSign({ ...terms, serial: randomBytes(16) });
  if (!signed.ok) {
    attempt.failure = signed.problem.message;
    return onward;
  }
  return writePair(turn, { chainPem: signed.value.chainPem }, key.key);
}

/** The same key and certificate once more, as the spec wants metadata, formats and keystores now. Nothing is issued. */
export async function rewriteSecret(turn: Turn): Promise<Done> {
  const { ports, certificate } = turn;
  const { metadata, spec } = certificate;
  const read = await ports.kube.get(secrets, { namespace: metadata.namespace ?? '', name: spec.secretName });
  if (!read.ok && read.problem.kind !== 'notFound') return stopped(turn, 'read Secret', read.problem);
  const isOurs = read.ok && read.value.metadata.annotations?.[annotations.certificateName] === metadata.name;
  const content = read.ok && isOurs ? readSecret(read.value) : undefined;
  const key = read.ok ? keyFromPem(decode(read.value, 'tls.key')) : undefined;
  if (!read.ok || content?.shape === undefined || key?.ok !== true) {
    // Changed since it was judged: the watch brings what stands there now, and another decision.
    delete turn.attempt.secret;
    return { kind: 'stop', outcome: { kind: 'retry', why: 'the Secret holds another thing than a moment ago' } };
  }
  const keyPem = decode(read.value, 'tls.key');
  const encoding = spec.privateKey?.encoding ?? 'PKCS1';
  const recoded = keyToPem(key.value, encoding);
  const { resourceVersion } = content;
  const written = await apply(turn, resourceVersion, {
    ...chainOf(read.value),
    key: key.value,
    // cert-manager's bytes stay where their form is right.
    keyPem: encodingOf(recoded) === encodingOf(keyPem) ? keyPem : recoded,
    type: content.type,
    kept: filesOf(read.value),
  });
  if (written.kind === 'onward')
    ports.log.info({ namespace: metadata.namespace, name: metadata.name }, 'Secret rewritten');
  return written;
}

function writePair(turn: Turn, signed: { chainPem: string; caPem?: string }, key: KeyObject): Promise<Done> {
  const { certificate, attempt } = turn;
  const keyPem = keyToPem(key, certificate.spec.privateKey?.encoding ?? 'PKCS1');
  const type = attempt.secret?.kind === 'content' ? attempt.secret.content.type : defaultType;
  return apply(turn, undefined, { ...signed, key, keyPem, type, kept: new Map() });
}

/** With a resourceVersion only over exactly that Secret. */
async function apply(
  turn: Turn,
  resourceVersion: string | undefined,
  matter: Omit<SecretMatter, 'keystores'>,
): Promise<Done> {
  const { ports, certificate, attempt, seen } = turn;
  const gathered = await gatherKeystores(ports.kube, certificate.metadata.namespace ?? '', certificate.spec);
  if (!gathered.ok) return stopped(turn, "read a keystore password's Secret", gathered.problem);
  if (gathered.value.kind === 'obstacle') {
    // It was there when this was planned; the next look tells that it is gone.
    return { kind: 'stop', outcome: { kind: 'retry', why: gathered.value.message } };
  }
  const secret = await secretObject(ports, certificate, { ...matter, keystores: gathered.value.terms });
  const { metadata } = secret;
  const sent = resourceVersion === undefined ? secret : { ...secret, metadata: { ...metadata, resourceVersion } };
  // Force only over what is known to be ours: a Secret that somebody made meanwhile answers with a conflict instead.
  const force = seen.secret.kind === 'ours';
  const applied = await ports.kube.apply(secrets, sent, { fieldManager: secretFieldManager, force });
  if (!applied.ok) {
    delete attempt.secret;
    return stopped(turn, 'write Secret', applied.problem);
  }
  remember(turn, applied.value, readSecret(applied.value, fieldsOf(secret)), gathered.value);
  noteSecret(turn, applied.value);
  return onward;
}

/** What was just written need not be read again. */
function remember(
  { attempt, certificate }: { attempt: Turn['attempt'] & KeystoreMemory; certificate: Turn['certificate'] },
  { metadata }: Secret,
  content: SecretContent,
  { versions }: Extract<Gathered, { kind: 'gathered' }>,
): void {
  const { generation } = certificate.metadata;
  const shape = content.shape && { ...content.shape, ...(generation !== undefined && { writtenFor: generation }) };
  attempt.secret = { kind: 'content', content: { ...content, ...(shape !== undefined && { shape }) } };
  const stamp = keystoreStamp(certificate, metadata.resourceVersion, versions);
  attempt.keystores = { stamp, seen: { kind: 'judged', unfit: [] } };
}

function unusable(turn: Turn, chainPem: string, keyFingerprint: string): string | undefined {
  const leaf = readCertificate(splitPem(chainPem)[0] ?? '');
  if (!leaf.ok) return 'The issuer returned something that is not a certificate.';
  if (fingerprint(leaf.value.publicKey) !== keyFingerprint)
    return 'The issuer certified another key than the one asked for.';
  if (leaf.value.notAfter <= turn.ports.now()) return 'The issuer returned a certificate that has expired already.';
  if (originOf(leaf.value) === 'standIn')
    return `A self-signed certificate with the subject serial number ${standInSerial} is a temporary one; choose another number.`;
  const [mismatch] = mismatches(leaf.value, turn.certificate.spec);
  return mismatch === undefined ? undefined : `The issuer returned another certificate than asked for: ${mismatch}`;
}
