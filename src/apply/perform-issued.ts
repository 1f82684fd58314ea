// The last steps of a Certificate's issuance: what its request got, and the Certificate's status with what people are told about it.

import type { CertificateStatus } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import { certificates, secrets } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { Stage } from '../plan/assess.ts';
import { refOf } from '../plan/object-ref.ts';
import { type Done, onward, statusWrite, stopped, type Turn, write } from './perform.ts';
import { writeIssued } from './request-status.ts';
import { decode } from './secret-content.ts';

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

/** The request's last write; after a crash behind the Secret's write its certificate is read back from there. */
export async function issueRequest(turn: Turn): Promise<Done> {
  const { ports, certificate, attempt, seen } = turn;
  const request = seen.request?.object;
  if (request === undefined) return onward;
  const before = attempt.signed === undefined ? await issuedBefore(turn) : undefined;
  if (before?.ok === false) return stopped(turn, 'read Secret', before.problem);
  const issued = attempt.signed ?? before?.value;
  if (issued === undefined) return onward;
  ports.log.info({ namespace: certificate.metadata.namespace, name: certificate.metadata.name }, 'issued');
  return writeIssued(turn, request, issued);
}

async function issuedBefore(turn: Turn): Promise<Reply<{ chainPem: string; caPem?: string }, KubeProblem>> {
  const { ports, certificate } = turn;
  const { namespace = '' } = certificate.metadata;
  const read = await ports.kube.get(secrets, { namespace, name: certificate.spec.secretName });
  if (!read.ok) return read;
  const caPem = decode(read.value, 'ca.crt');
  return { ok: true, value: { chainPem: decode(read.value, 'tls.crt'), ...(caPem !== '' && { caPem }) } };
}

export async function writeStatus(turn: Turn, status: CertificateStatus, stage: Stage): Promise<Done> {
  const { ports, certificate, seen } = turn;
  const done = await write(
    turn,
    statusWrite,
    ports.kube.replaceStatus(certificates, { ...certificate, status }),
    (value) => ports.stores.certificates.note(value),
  );
  // An order says by itself that it is complete.
  const issuedHere = seen.issuer.kind !== 'acme' && status.revision !== certificate.status?.revision;
  if (done.kind === 'onward') await tell(turn, stage, issuedHere);
  return done;
}

/** Somebody is at work, or a time was asked for. */
const orderlyWaits: ReadonlySet<string> = new Set(['AwaitingApproval', 'WaitInsteadOfSelfCheck', 'NotPropagated']);

async function tell(turn: Turn, stage: Stage, issuedHere: boolean): Promise<void> {
  const { ports, certificate } = turn;
  const about = refOf(certificate);
  // Whoever suspends a Certificate says so on it, and that another controller is at work is no warning.
  if (stage.kind === 'blocked' && (stage.reason === 'Suspended' || stage.reason === 'AwaitingIssuer')) return;
  if (stage.kind === 'blocked' && stage.inLine === true) return;
  if (stage.kind === 'failed' || stage.kind === 'blocked') {
    const reason = stage.kind === 'failed' ? 'Failed' : stage.reason;
    const type = orderlyWaits.has(reason) ? 'Normal' : 'Warning';
    await ports.recorder.say({ about, type, reason, message: stage.message });
  } else if (stage.kind === 'ready' && issuedHere) {
    const { why } = turn.attempt;
    const issued = 'The certificate has been successfully issued';
    const message = why === undefined ? issued : `${issued} (${why})`;
    await ports.recorder.say({ about, type: 'Normal', reason: 'Issuing', message }, { of: turn.attempt.revision });
  }
}
