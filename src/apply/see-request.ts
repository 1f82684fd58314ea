// Reads the requests of a Certificate: the one in the making, and the one that its Secret came from. Called by observe-certificate.ts; what a CSR says is
// read once per request.

import type { Certificate, CertificateRequest, IssuerRef } from '../api/certmanager.ts';
import { certManagerGroup } from '../api/names.ts';
import { readCertificate, splitPem } from '../pki/certificate.ts';
import { fingerprint } from '../pki/keys.ts';
import { parseGoDuration } from '../pki/renewal.ts';
import { requestSatisfies } from '../pki/satisfies.ts';
import { approvalOf } from '../plan/approval.ts';
import type { RequestSeen, SecretSeen } from '../plan/seen.ts';
import { isTwin } from '../plan/stamp.ts';
import { type Attempt, forgetRequest } from './attempt.ts';
import { requestName } from './names.ts';
import type { Ports } from './ports.ts';
import { requestedCsr } from './request-csr.ts';

export function seeRequest(ports: Ports, certificate: Certificate, attempt: Attempt): RequestSeen | undefined {
  const { name, namespace } = certificate.metadata;
  const object = ports.stores.requests.get(`${namespace}/${requestName(name, attempt.revision)}`);
  if (attempt.request !== undefined && attempt.request.uid !== object?.metadata.uid) forgetRequest(attempt);
  if (object === undefined) return undefined;
  const uid = object.metadata.uid ?? '';
  if (attempt.request?.uid !== uid) attempt.request = read(object, uid);
  const { facts, keyFingerprint } = attempt.request;
  const approval = approvalOf(object, ports.settings.approver);
  if (!isOfThatName(object, name)) return { object, approval, maker: 'somebody', matchesSpec: false };
  if (facts === undefined || keyFingerprint === undefined) return { object, approval, matchesSpec: false };
  const { generation } = certificate.metadata;
  if (attempt.request.judged?.generation !== generation) {
    const fits = isOwned(object, certificate) && differences(object, facts, certificate, 'differs').length === 0;
    attempt.request = { ...attempt.request, judged: { generation, fits } };
  }
  const isReused =
    certificate.spec.privateKey?.rotationPolicy === 'Never' || attempt.origin?.keyFingerprint === keyFingerprint;
  const issued = isReused ? issuedFingerprint(object) : undefined;
  const matchesSpec = attempt.request.judged?.fits === true;
  const key = isReused ? 'kept' : 'new';
  return { object, approval, keyFingerprint, key, matchesSpec, ...(issued !== undefined && { issued }) };
}

/**
 * In which parts the request that the Secret came from asks for something else than the spec does now, as a sentence. It sees what no certificate shows:
 * CAs drop subjects and choose usages.
 */
export function changedSince(
  ports: Ports,
  certificate: Certificate,
  attempt: Attempt,
  secret: SecretSeen,
): string | undefined {
  const { name, namespace, generation } = certificate.metadata;
  const { revision } = certificate.status ?? {};
  if (revision === undefined || secret.kind !== 'ours' || secret.facts.leaf === undefined) return undefined;
  const object = ports.stores.requests.get(`${namespace}/${requestName(name, revision)}`);
  if (object === undefined || !isOwned(object, certificate)) return undefined;
  const uid = object.metadata.uid ?? '';
  if (attempt.origin?.uid !== uid) attempt.origin = read(object, uid);
  const { facts, keyFingerprint } = attempt.origin;
  if (facts === undefined || keyFingerprint !== secret.facts.leaf.keyFingerprint) return undefined;
  if (attempt.origin.judged?.generation !== generation) {
    // Whether the key is of the right kind is judged by the Secret itself.
    const differs = differences(object, facts, certificate, 'fits').filter((part) => !part.startsWith('key'));
    attempt.origin = { ...attempt.origin, judged: { generation, fits: differs.length === 0, differs } };
  }
  const { differs = [] } = attempt.origin.judged ?? {};
  return differs.length === 0 ? undefined : `The spec differs from what was asked for in ${differs.join(', ')}.`;
}

function isOwned(object: CertificateRequest, certificate: Certificate): boolean {
  return object.metadata.ownerReferences?.some((owner) => owner.uid === certificate.metadata.uid) === true;
}

/** Of this Certificate, or of one before it that the garbage collector has not got to. */
function isOfThatName(object: CertificateRequest, name: string): boolean {
  return object.metadata.ownerReferences?.some((owner) => owner.kind === 'Certificate' && owner.name === name) === true;
}

type Read = NonNullable<Attempt['request']>;

function read(object: CertificateRequest, uid: string): Read {
  const csr = requestedCsr(object);
  return csr.ok ? { uid, facts: csr.value, keyFingerprint: fingerprint(csr.value.publicKey) } : { uid };
}

/** What the CSR says, and what it does not carry: who signs, for how long, for which use. */
function differences(
  { spec: asked }: CertificateRequest,
  facts: NonNullable<Read['facts']>,
  { spec: wanted }: Certificate,
  missing: 'differs' | 'fits',
): readonly string[] {
  const issuer = ({ name, kind, group }: IssuerRef) => `${group || certManagerGroup}/${kind || 'Issuer'}/${name}`;
  const usages = (of: readonly string[] | undefined) => [...new Set(of)].sort().join();
  // What has been issued stays good at the CA's other account; what is being issued goes to the one that is asked for.
  const isSameIssuer =
    issuer(asked.issuerRef) === issuer(wanted.issuerRef) ||
    (missing === 'fits' && isTwin(asked.issuerRef, wanted.issuerRef));
  const terms = [
    isSameIssuer ? [] : ['issuerRef'],
    sameDuration(asked.duration, wanted.duration, missing) ? [] : ['duration'],
    (asked.isCA ?? false) === (wanted.isCA ?? false) ? [] : ['isCA'],
    usages(asked.usages) === usages(wanted.usages) ? [] : ['usages'],
  ];
  // cert-manager's CSRs do not say whether a CA is wanted, unless its gate UseCertificateRequestBasicConstraints is on; the request does.
  const said = { ...facts, isCA: facts.isCA ?? asked.isCA ?? false };
  return [...new Set([...terms.flat(), ...requestSatisfies(said, wanted)])];
}

/** Go programs write 2160h as 2160h0m0s. */
function sameDuration(a: string | undefined, b: string | undefined, missing: 'differs' | 'fits'): boolean {
  if (a === undefined || b === undefined) return a === b || missing === 'fits';
  return a === b || parseGoDuration(a) === parseGoDuration(b);
}

function issuedFingerprint({ status }: CertificateRequest): string | undefined {
  if (status?.certificate === undefined) return undefined;
  const [leaf = ''] = splitPem(Buffer.from(status.certificate, 'base64').toString('utf8'));
  const facts = readCertificate(leaf);
  return facts.ok ? facts.value.fingerprint256 : undefined;
}
