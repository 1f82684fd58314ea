// Keys and requests: makes the private key, keeps it in a Secret of its own until it is issued, and asks with a CertificateRequest.

import type { KeyObject } from 'node:crypto';
import type { CertificateRequest } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import { annotations, labels } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';
import { apiVersion, certificateRequests, certificates, secrets } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { createCsr, derToPem } from '../pki/csr.ts';
import { fingerprint, keyFromPem, keyMatchesSpec, keyToPem, publicHalf } from '../pki/keys.ts';
import { namesOfSpec } from '../pki/names.ts';
import { forgetRequest } from './attempt.ts';
import { keySecretName, requestName } from './names.ts';
import { type Done, onward, stopped, type Turn, write } from './perform.ts';
import { decode } from './secret-content.ts';

/** A fresh key, or the one in use where rotationPolicy Never asks to keep it. */
export async function makeKey(turn: Turn): Promise<Done> {
  const { ports, certificate, attempt } = turn;
  const spec = certificate.spec.privateKey ?? {};
  const isFresh = turn.seen.replacement?.freshKey === true;
  const kept = spec.rotationPolicy === 'Never' && !isFresh ? await keyInUse(turn) : undefined;
  if (kept?.ok === false) return stopped(turn, 'read Secret', kept.problem);
  const key = kept?.value ?? (await ports.keys(spec));
  attempt.key = { kind: 'held', key, fingerprint: fingerprint(publicHalf(key)) };
  return onward;
}

/** A key that somebody has pinned is not given up because the API server is away for a moment. */
async function keyInUse(turn: Turn): Promise<Reply<KeyObject | undefined, KubeProblem>> {
  const { ports, certificate, seen } = turn;
  if (seen.secret.kind !== 'ours') return { ok: true, value: undefined };
  const { namespace = '' } = certificate.metadata;
  const read = await ports.kube.get(secrets, { namespace, name: certificate.spec.secretName });
  if (!read.ok) return read.problem.kind === 'notFound' ? { ok: true, value: undefined } : read;
  const key = keyFromPem(decode(read.value, 'tls.key'));
  return { ok: true, value: key.ok && keyMatchesSpec(key.value, certificate.spec.privateKey) ? key.value : undefined };
}

/** Makes the key durable before its CSR leaves the process. */
export async function storeKey(turn: Turn): Promise<Done> {
  const { ports, certificate, attempt } = turn;
  const { key } = attempt;
  if (key === undefined || key.kind === 'lost') return onward;
  const secret = keySecret(turn, key.key);
  const created = await ports.kube.create(secrets, secret);
  if (created.ok) {
    attempt.key = { ...key, kind: 'durable' };
    noteSecret(turn, created.value);
    return onward;
  }
  if (created.problem.kind !== 'alreadyExists') return stopped(turn, 'create key Secret', created.problem);
  // An earlier process stored a key and died: that one counts.
  return loadKey({ ...turn, certificate });
}

/** Takes the stored key of this revision up again; `lost` when there is none that is ours. */
export async function loadKey(turn: Turn): Promise<Done> {
  const { ports, certificate, attempt } = turn;
  const { namespace = '', name: certificateName, uid } = certificate.metadata;
  const name = keySecretName(certificateName, attempt.revision);
  const read = await ports.kube.get(secrets, { namespace, name });
  if (!read.ok && read.problem.kind !== 'notFound') return stopped(turn, 'read key Secret', read.problem);
  attempt.key = { kind: 'lost' };
  if (!read.ok) return onward;
  const isOurs = read.value.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
  const key = isOurs ? keyFromPem(decode(read.value, 'tls.key')) : undefined;
  if (key?.ok === true) {
    attempt.key = { kind: 'durable', key: key.value, fingerprint: fingerprint(publicHalf(key.value)) };
    noteSecret(turn, read.value);
    return onward;
  }
  if (!isRemnant(read.value, certificateName)) {
    const message = `Secret "${name}" is in the way of the key in the making and is not Certway's; delete or rename it.`;
    const { generation } = certificate.metadata;
    attempt.refusal = { message, until: ports.now() + 60_000, count: 1, generation };
    return onward;
  }
  // Of an earlier Certificate of this name, or broken: out of the way with exactly this one.
  const { resourceVersion } = read.value.metadata;
  const gone = await ports.kube.delete(
    secrets,
    { namespace, name },
    resourceVersion === undefined ? {} : { resourceVersion },
  );
  return gone.ok || gone.problem.kind === 'notFound' ? onward : stopped(turn, 'delete key Secret', gone.problem);
}

/** A key in the making of a Certificate of this name; whatever else has such a name belongs to somebody. */
function isRemnant({ metadata }: Secret, certificate: string): boolean {
  const { labels: noted = {}, annotations: said = {}, ownerReferences = [] } = metadata;
  const isKey = noted[labels.nextPrivateKey] === 'true' && said[annotations.certificateName] === undefined;
  return isKey && ownerReferences.some(({ kind, name }) => kind === certificates.kind && name === certificate);
}

export async function deleteKey(turn: Turn, secretName: string): Promise<Done> {
  const { ports, certificate } = turn;
  const { namespace = '' } = certificate.metadata;
  const gone = await ports.kube.delete(secrets, { namespace, name: secretName });
  if (!gone.ok && gone.problem.kind !== 'notFound') return stopped(turn, 'delete key Secret', gone.problem);
  const watch = ports.secrets.ours(namespace);
  const known = watch.kind === 'ready' ? watch.store.get(`${namespace}/${secretName}`) : undefined;
  if (watch.kind === 'ready' && known !== undefined) watch.store.forget(known);
  return onward;
}

/** The spec asks for another kind of key: what is in the making goes, its Secret first. */
export async function dropKey(turn: Turn): Promise<Done> {
  const { attempt, certificate } = turn;
  const isStored = attempt.key?.kind === 'durable';
  const gone = isStored ? await deleteKey(turn, keySecretName(certificate.metadata.name, attempt.revision)) : onward;
  if (gone.kind === 'onward' && attempt.forbidden === undefined) delete attempt.key;
  return gone;
}

/** `why`: told with its certificate, unless it is the first. */
export async function createRequest(turn: Turn, why: string): Promise<Done> {
  const { ports, certificate, attempt } = turn;
  const { key } = attempt;
  if (key === undefined || key.kind === 'lost') return onward;
  const { spec } = certificate;
  const csr = await createCsr({ ...spec, key: key.key, names: namesOfSpec(spec) });
  if (certificate.status?.revision !== undefined) attempt.why = why;
  const request = requestObject(turn, derToPem('CERTIFICATE REQUEST', csr));
  return write(turn, 'create CertificateRequest', ports.kube.create(certificateRequests, request), (created) =>
    ports.stores.requests.note(created),
  );
}

export async function deleteRequest(turn: Turn, name: string): Promise<Done> {
  const { ports, certificate, attempt } = turn;
  const { namespace = '' } = certificate.metadata;
  const known = ports.stores.requests.get(`${namespace}/${name}`);
  const uid = known?.metadata.uid;
  const gone = await ports.kube.delete(certificateRequests, { namespace, name }, uid === undefined ? {} : { uid });
  if (!gone.ok && gone.problem.kind !== 'notFound') return stopped(turn, 'delete CertificateRequest', gone.problem);
  if (known !== undefined) ports.stores.requests.forget(known);
  if (name === requestName(certificate.metadata.name, attempt.revision)) forgetRequest(attempt);
  return onward;
}

function requestObject(turn: Turn, csrPem: string): CertificateRequest {
  const { certificate, attempt } = turn;
  const { metadata, spec } = certificate;
  return {
    apiVersion: apiVersion(certificateRequests),
    kind: certificateRequests.kind,
    metadata: {
      name: requestName(metadata.name, attempt.revision),
      namespace: metadata.namespace ?? '',
      labels: metadata.labels ?? {},
      annotations: {
        ...copied(metadata.annotations ?? {}),
        [annotations.certificateName]: metadata.name,
        [annotations.certificateRevision]: String(attempt.revision),
        [annotations.privateKeySecretName]: keySecretName(metadata.name, attempt.revision),
      },
      ownerReferences: [ownedBy(turn)],
    },
    spec: {
      issuerRef: spec.issuerRef,
      request: Buffer.from(csrPem).toString('base64'),
      ...(spec.duration !== undefined && { duration: spec.duration }),
      ...(spec.isCA === true && { isCA: true }),
      ...(spec.usages !== undefined && { usages: spec.usages }),
    },
  };
}

/** Tools' own notes on the Certificate mean nothing on its request. */
function copied(noted: Readonly<Record<string, string>>): Record<string, string> {
  const foreign = ['kubectl.kubernetes.io/', 'fluxcd.io/', 'argocd.argoproj.io/'];
  return Object.fromEntries(Object.entries(noted).filter(([key]) => !foreign.some((prefix) => key.startsWith(prefix))));
}

function keySecret(turn: Turn, key: KeyObject): Secret {
  const { certificate, attempt } = turn;
  const { namespace = '', name } = certificate.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      name: keySecretName(name, attempt.revision),
      namespace,
      labels: { [labels.nextPrivateKey]: 'true', [labels.fao]: 'true' },
      ownerReferences: [ownedBy(turn)],
    },
    data: { 'tls.key': Buffer.from(keyToPem(key, 'PKCS8')).toString('base64') },
  };
}

function ownedBy(turn: Turn) {
  const { name, uid = '' } = turn.certificate.metadata;
  return {
    apiVersion: apiVersion(certificates),
    kind: certificates.kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The cache holds metadata only: no payload ever enters it. */
export function noteSecret(turn: Turn, secret: Secret): void {
  const watch = turn.ports.secrets.ours(turn.certificate.metadata.namespace ?? '');
  if (watch.kind === 'ready') {
    watch.store.note({ apiVersion: 'v1', kind: 'Secret', metadata: secret.metadata });
  }
}
