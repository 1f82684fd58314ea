// The last steps of an issuance: the target Secret, the request's and the Certificate's status, and what people are told about them.

import type { CertificateRequest, CertificateStatus } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import { annotations, certManagerGroup, labels, secretFieldManager } from '../api/names.ts';
import { certificateRequests, certificates, secrets } from '../api/resources.ts';
import { readCertificate, splitPem } from '../pki/certificate.ts';
import { fingerprint, keyToPem } from '../pki/keys.ts';
import type { Stage } from '../plan/assess.ts';
import { timestamp, withCondition } from '../plan/conditions.ts';
import { type Done, onward, stopped, type Turn, write } from './perform.ts';
import { noteSecret } from './perform-key.ts';
import { decode, mismatches, readSecret } from './secret-content.ts';

/** Takes a certificate that stands in the request's status already (another issuer's, or from before a crash). */
export function takeCertificate(turn: Turn): Done {
  const { status } = turn.seen.request?.object ?? {};
  const text = (value: string | undefined) => Buffer.from(value ?? '', 'base64').toString('utf8');
  turn.attempt.signed = {
    chainPem: text(status?.certificate),
    ...(status?.ca !== undefined && { caPem: text(status.ca) }),
  };
  return onward;
}

/** Writes the pair, unless the issuer returned something else than was asked: that would be issued again for ever. */
export async function writeSecret(turn: Turn): Promise<Done> {
  const { ports, attempt, seen } = turn;
  const { key, signed } = attempt;
  if (key === undefined || key.kind === 'lost' || signed === undefined) return onward;
  const wrong = unusable(turn, signed.chainPem, key.fingerprint);
  if (wrong !== undefined) {
    delete attempt.signed;
    attempt.failure = wrong;
    return onward;
  }
  const secret = secretObject(turn, signed, keyToPem(key.key, turn.certificate.spec.privateKey?.encoding ?? 'PKCS1'));
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

/** Approval, certificate and Ready in one write. */
export async function issueRequest(turn: Turn): Promise<Done> {
  const { ports, certificate, attempt, seen } = turn;
  const request = seen.request?.object;
  if (request === undefined) return onward;
  const issued = attempt.signed ?? (await issuedBefore(turn));
  if (issued === undefined) return onward;
  const now = ports.now();
  const ready = withCondition(
    approved(request, now),
    { type: 'Ready', status: 'True', reason: 'Issued', message: 'Certificate fetched from issuer successfully' },
    now,
  );
  const status = {
    ...request.status,
    conditions: ready,
    certificate: encode(issued.chainPem),
    ...(issued.caPem !== undefined && { ca: encode(issued.caPem) }),
  };
  const reply = ports.kube.replaceStatus(certificateRequests, { ...request, status });
  ports.log.info({ namespace: certificate.metadata.namespace, name: certificate.metadata.name }, 'issued');
  return write(turn, 'write CertificateRequest status', reply, (value) => ports.stores.requests.note(value));
}

/** After a crash behind the Secret's write the certificate is read back from it. */
async function issuedBefore(turn: Turn): Promise<{ chainPem: string; caPem?: string } | undefined> {
  const { ports, certificate } = turn;
  const { namespace = '' } = certificate.metadata;
  const read = await ports.kube.get(secrets, { namespace, name: certificate.spec.secretName });
  if (!read.ok) return undefined;
  const caPem = decode(read.value, 'ca.crt');
  return { chainPem: decode(read.value, 'tls.crt'), ...(caPem !== '' && { caPem }) };
}

export async function failRequest(turn: Turn, message: string): Promise<Done> {
  const { ports, seen } = turn;
  const request = seen.request?.object;
  if (request === undefined) return onward;
  const now = ports.now();
  const conditions = withCondition(
    approved(request, now),
    { type: 'Ready', status: 'False', reason: 'Failed', message },
    now,
  );
  const status = { ...request.status, conditions, failureTime: timestamp(now) };
  const reply = ports.kube.replaceStatus(certificateRequests, { ...request, status });
  return write(turn, 'write CertificateRequest status', reply, (value) => ports.stores.requests.note(value));
}

function approved(request: CertificateRequest, now: number) {
  const approval = { type: 'Approved', status: 'True', reason: 'cert-manager.io' } as const;
  const message = 'Certificate request has been approved by Certway';
  return withCondition(request.status?.conditions, { ...approval, message }, now);
}

export async function writeStatus(turn: Turn, status: CertificateStatus, stage: Stage): Promise<Done> {
  const { ports, certificate, seen } = turn;
  const done = await write(
    turn,
    'write Certificate status',
    ports.kube.replaceStatus(certificates, { ...certificate, status }),
    (value) => ports.stores.certificates.note(value),
  );
  const issuedHere = seen.issuer.kind === 'local' && status.revision !== certificate.status?.revision;
  if (done.kind === 'onward') await tell(turn, stage, issuedHere);
  return done;
}

async function tell(turn: Turn, stage: Stage, issuedHere: boolean): Promise<void> {
  const { ports, certificate } = turn;
  const { apiVersion, kind, metadata } = certificate;
  const about = {
    apiVersion,
    kind,
    name: metadata.name,
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
    ...(metadata.uid !== undefined && { uid: metadata.uid }),
  };
  // Whoever suspends a Certificate says so on it.
  if (stage.kind === 'blocked' && stage.reason === 'Suspended') return;
  if (stage.kind === 'failed' || stage.kind === 'blocked') {
    const reason = stage.kind === 'failed' ? 'Failed' : stage.reason;
    await ports.recorder.say({ about, type: 'Warning', reason, message: stage.message });
  } else if (stage.kind === 'ready' && issuedHere) {
    const message = 'The certificate has been successfully issued';
    await ports.recorder.say({ about, type: 'Normal', reason: 'Issuing', message }, { of: turn.attempt.revision });
  }
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}
