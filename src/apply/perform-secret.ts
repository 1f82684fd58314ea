// Writes the target Secret: the issued pair, or the self-signed stand-in that serves until then. Called by certificate.ts.

import { type KeyObject, randomBytes } from 'node:crypto';
import type { Secret } from '../api/core.ts';
import { annotations, certManagerGroup, labels, secretFieldManager } from '../api/names.ts';
import { secrets } from '../api/resources.ts';
import { readCertificate, splitPem } from '../pki/certificate.ts';
import { createCsr } from '../pki/csr.ts';
import { fingerprint, keyToPem } from '../pki/keys.ts';
import { namesOfSpec } from '../pki/names.ts';
import { selfSign } from '../pki/sign.ts';
import { type Done, onward, stopped, type Turn } from './perform.ts';
import { noteSecret } from './perform-key.ts';
import { encode, mismatches, originOf, readSecret, standInSerial } from './secret-content.ts';

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
  return apply(turn, signed, key.key);
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
  return apply(turn, { chainPem: signed.value.chainPem }, key.key);
}

async function apply(turn: Turn, signed: { chainPem: string; caPem?: string }, key: KeyObject): Promise<Done> {
  const { ports, attempt, seen } = turn;
  const secret = secretObject(turn, signed, keyToPem(key, turn.certificate.spec.privateKey?.encoding ?? 'PKCS1'));
  // Force only over what is known to be ours: a Secret that somebody made meanwhile answers with a conflict instead.
  const force = seen.secret.kind === 'ours';
  const applied = await ports.kube.apply(secrets, secret, { fieldManager: secretFieldManager, force });
  if (!applied.ok) {
    delete attempt.secret;
    return stopped(turn, 'write Secret', applied.problem);
  }
  attempt.secret = { kind: 'content', content: readSecret(applied.value) };
  noteSecret(turn, applied.value);
  return onward;
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

function secretObject(turn: Turn, signed: { chainPem: string; caPem?: string }, keyPem: string): Secret {
  const { metadata, spec } = turn.certificate;
  const template = spec.secretTemplate ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: {
      name: spec.secretName,
      namespace: metadata.namespace ?? '',
      labels: { ...template.labels, [labels.fao]: 'true' },
      annotations: {
        ...template.annotations,
        [annotations.certificateName]: metadata.name,
        [annotations.issuerName]: spec.issuerRef.name,
        [annotations.issuerKind]: spec.issuerRef.kind ?? 'Issuer',
        [annotations.issuerGroup]: spec.issuerRef.group ?? certManagerGroup,
        [annotations.commonName]: spec.commonName ?? '',
        [annotations.altNames]: (spec.dnsNames ?? []).join(','),
        [annotations.ipSans]: (spec.ipAddresses ?? []).join(','),
        [annotations.uriSans]: (spec.uris ?? []).join(','),
      },
    },
    data: {
      'tls.crt': encode(signed.chainPem),
      'tls.key': encode(keyPem),
      ...(signed.caPem !== undefined && { 'ca.crt': encode(signed.caPem) }),
    },
  };
}
