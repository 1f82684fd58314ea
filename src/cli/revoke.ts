// `certway revoke CERTIFICATE`: finds out which certificate is served, writes the annotation that asks the controller to have it revoked, and tells what comes
// of it. Called by main.ts. Exit code 0: it is revoked, 1: not (yet), 2: usage.

import { X509Certificate } from 'node:crypto';
import type { Certificate } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';
import { certificateRequests, certificates } from '../api/resources.ts';
import type { Kube } from '../kube/client.ts';
import { conditionOf } from '../plan/conditions.ts';
import { isRevoked, plainSerial, type RevocationWish, revokedCondition } from '../plan/revocation.ts';
import type { RevokeArgs } from './account-args.ts';
import { annotate, follow, openAsker } from './asking.ts';

type Streams = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>;

const patienceMs = 600_000;

export async function runRevoke(args: RevokeArgs, to: Streams): Promise<number> {
  const asker = await openAsker(args.kubeconfig, to.env);
  if (!asker.ok) return fail(to, asker.problem, 2);
  await using opened = asker.value;
  const { kube } = opened;
  const ref = { name: args.name, namespace: args.namespace ?? opened.namespace };
  const read = await kube.get(certificates, ref);
  if (!read.ok) return fail(to, read.problem.message, 1);
  const serial =
    args.serial === undefined ? await servedSerial(kube, read.value) : { ok: true as const, value: args.serial };
  if (!serial.ok) return fail(to, serial.problem, 1);
  const { reason, when } = args;
  const wish: RevocationWish = { reason, when, serial: plainSerial(serial.value) };
  const text = `${reason}@${wish.serial}${when === 'now' ? ' now' : ''}`;
  const asked = await annotate(kube, certificates, ref, annotations.revoke, text);
  if (!asked.ok) return fail(to, asked.problem.message, 1);
  return await follow<Certificate>(kube, {
    of: certificates,
    ref,
    deadlineMs: patienceMs,
    onLine: (line) => void to.stdout.write(`${line}\n`),
    read: (now) => progress(now, wish),
  });
}

function progress(
  certificate: Certificate,
  wish: RevocationWish,
): { readonly over?: 'good' | 'bad'; readonly line: string } {
  const said = conditionOf(certificate.status?.conditions, revokedCondition);
  if (isRevoked(certificate, wish)) return { over: 'good', line: said?.message ?? 'Revoked.' };
  // What stood there before this wish says nothing of it.
  const isOurs = said?.status === 'False' && said.message?.includes(wish.serial) === true;
  if (said?.reason === 'NotSupported') return { over: 'bad', line: said.message ?? '' };
  if (isOurs && said.reason === 'NotFound') return { over: 'bad', line: said.message ?? '' };
  const issuing = conditionOf(certificate.status?.conditions, 'Issuing');
  const waiting = issuing?.status === 'True' ? ` ${issuing.message ?? ''}` : '';
  if (said?.status === 'False' && said.reason === 'Failed') return { line: said.message ?? '' };
  return { line: isOurs ? `${said.message ?? ''}${waiting}` : `Revoking certificate ${wish.serial} …` };
}

/** From the request of its revision, which holds the certificate and no secret. */
async function servedSerial(kube: Kube, certificate: Certificate): Promise<Reply<string, string>> {
  const { namespace = '', name, uid } = certificate.metadata;
  const tellIt = 'say which one: --serial HEX (openssl x509 -noout -serial)';
  const listed = await kube.list(certificateRequests, { namespace });
  if (!listed.ok) return { ok: false, problem: `${listed.problem.message}; ${tellIt}` };
  const revision = String(certificate.status?.revision ?? '');
  const request = listed.value.find(
    ({ metadata }) =>
      metadata.ownerReferences?.some((owner) => owner.uid === uid) === true &&
      metadata.annotations?.[annotations.certificateRevision] === revision,
  );
  const pem = Buffer.from(request?.status?.certificate ?? '', 'base64').toString('utf8');
  try {
    return { ok: true, value: new X509Certificate(pem).serialNumber };
  } catch {
    return {
      ok: false,
      problem: `Certificate ${namespace}/${name} has no CertificateRequest with what was issued; ${tellIt}`,
    };
  }
}

function fail(to: Streams, message: string, code: 1 | 2): number {
  to.stderr.write(`certway: ${message}\n`);
  return code;
}
