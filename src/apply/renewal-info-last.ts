// How the certificate that an order takes the place of stands: what the order names as replaced, and what an Ask of the budget needs to know of it. Called
// where Orders are made and where they wait.

import type { Certificate, IssuerRef } from '../api/certmanager.ts';
import { fullRef } from '../api/issuer-ref.ts';
import { keyOf } from '../kube/store.ts';
import { type CertificateFacts, readCertificate, splitPem } from '../pki/certificate.ts';
import { certificateId } from '../pki/certificate-id.ts';
import type { LastCertificate } from '../plan/renewal-class.ts';
import { replaces } from '../plan/renewal-info.ts';
import type { SecretSeen } from '../plan/seen.ts';
import { isTwin } from '../plan/stamp.ts';
import type { Attempt } from './attempt.ts';
import { issuerOf } from './issuer-of.ts';
import { requestName } from './names.ts';
import type { Ports } from './ports.ts';
import { leafOf } from './renewal-info-due.ts';

/** The certificate that the next order of this Certificate names as replaced (RFC 9773 §5). */
export function replacedCertificate(
  ports: Ports,
  certificate: Certificate,
  secret: SecretSeen,
  attempt: Attempt,
): string | undefined {
  const known = ports.renewals.get(keyOf(certificate));
  const leaf = leafOf(attempt);
  if (known === undefined || leaf === undefined || certificateId(leaf) !== known.certId) return undefined;
  if (secret.kind !== 'ours' || relation(secret.facts.issuer, certificate.spec.issuerRef) !== 'same') return undefined;
  const account = issuerOf(ports, certificate)?.status?.acme?.uri;
  if (account === undefined || known.heardBy === undefined) return undefined;
  const { certId, suggested, heardBy } = known;
  return replaces({ certId, window: suggested?.window, heardBy, account }, ports.now());
}

/** What an Ask of the budget needs to know of the certificate that is to be replaced; undefined where there was none. */
export function lastCertificate(
  ports: Ports,
  certificate: Certificate,
  secret: SecretSeen,
  attempt: Attempt,
): LastCertificate | undefined {
  const issued = issuedCertificate(ports, certificate);
  if (issued === undefined) return undefined;
  const certId = certificateId(issued.leaf);
  const leaf = secret.kind === 'ours' && secret.facts.leaf?.origin === 'issuer' ? leafOf(attempt) : undefined;
  if (leaf === undefined || certificateId(leaf) !== certId) return { ...issued.last, standing: 'lost' };
  const known = ports.renewals.get(keyOf(certificate));
  const isKnown = known !== undefined && known.certId === certId;
  return {
    ...issued.last,
    standing: 'serving',
    ...(isKnown && { window: known.suggested?.window }),
  };
}

/**
 * What the last request holds. Only its signer writes there: whoever may write a Secret could otherwise call anything a renewal that presses. Where the
 * request is gone the order counts as a new name, which never asks for more than the CA gives.
 */
function issuedCertificate({ stores }: Ports, certificate: Certificate) {
  const { status, metadata, spec } = certificate;
  if (status?.revision === undefined) return undefined;
  const request = stores.requests.get(`${metadata.namespace}/${requestName(metadata.name, status.revision)}`);
  const [pem = ''] = splitPem(Buffer.from(request?.status?.certificate ?? '', 'base64').toString('utf8'));
  const leaf = readCertificate(pem);
  if (request === undefined || !leaf.ok) return undefined;
  const last = { ...held(leaf.value), issuer: relation(request.spec.issuerRef, spec.issuerRef) };
  return { leaf: leaf.value, last };
}

function relation(a: IssuerRef, b: IssuerRef): LastCertificate['issuer'] {
  const [was, wanted] = [fullRef(a), fullRef(b)];
  if (was.name === wanted.name && was.kind === wanted.kind && was.group === wanted.group) return 'same';
  return isTwin(was, wanted) ? 'twin' : 'other';
}

function held({ notBefore, notAfter, names }: CertificateFacts) {
  return { notBefore, notAfter, identifiers: [...names.dnsNames, ...names.ipAddresses] };
}
