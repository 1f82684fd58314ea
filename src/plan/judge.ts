// Decides whether the target Secret is what the Certificate asks for: a chain of checks, first failure wins. Called by certificate.ts.
// Reasons keep cert-manager's names, because dashboards and alerts match on them.

import type { Certificate } from '../api/certmanager.ts';
import { certManagerGroup } from '../api/names.ts';
import type { SecretFacts, SecretSeen } from './seen.ts';
import { isTwin } from './stamp.ts';

export type Verdict =
  | {
      readonly kind: 'good';
      readonly notBefore: number;
      readonly notAfter: number;
      readonly keyFingerprint: string;
      readonly fingerprint: string;
    }
  | { readonly kind: 'bad'; readonly reason: string; readonly message: string };

/** Whether the Secret holds a usable pair for this Certificate at `now` (epoch ms); renewal is not judged here. */
export function judgeSecret(certificate: Certificate, secret: SecretSeen, now: number): Verdict {
  const name = certificate.spec.secretName;
  switch (secret.kind) {
    case 'forbidden':
    case 'foreign':
    case 'absent':
      return bad('DoesNotExist', `Issuing certificate as Secret "${name}" does not exist.`);
    case 'ours':
      return judgeFacts(certificate, secret.facts, now);
    default:
      return secret satisfies never;
  }
}

function judgeFacts(certificate: Certificate, facts: SecretFacts, now: number): Verdict {
  const name = certificate.spec.secretName;
  const { leaf } = facts;
  if (facts.missing.length > 0) return bad('MissingData', `Secret "${name}" lacks ${facts.missing.join(' and ')}.`);
  if (facts.brokenPair !== undefined) return bad('InvalidKeyPair', `Secret "${name}": ${facts.brokenPair}`);
  if (leaf === undefined) return bad('InvalidCertificate', `Secret "${name}" holds no readable certificate.`);
  if (leaf.origin === 'standIn') {
    return bad('TemporaryCertificate', `Secret "${name}" holds a temporary certificate until the issuer has signed.`);
  }
  const wanted = certificate.spec.issuerRef;
  // An empty one counts as none: cert-manager's CRDs let it through.
  const kind = wanted.kind || 'Issuer';
  const group = wanted.group || certManagerGroup;
  const isSame = facts.issuer.name === wanted.name && facts.issuer.kind === kind && facts.issuer.group === group;
  if (!isSame && !isTwin(facts.issuer, wanted)) {
    const was = `${facts.issuer.kind} "${facts.issuer.name}"`;
    return bad('IncorrectIssuer', `The certificate was issued by ${was}, now ${kind} "${wanted.name}" is asked for.`);
  }
  if (facts.certificateName !== certificate.metadata.name) {
    return bad('IncorrectCertificate', `Secret "${name}" was issued for Certificate "${facts.certificateName}".`);
  }
  const [mismatch] = facts.mismatches;
  if (mismatch !== undefined) return bad('SecretMismatch', mismatch);
  if (leaf.notAfter <= now)
    return bad('Expired', `The certificate expired at ${new Date(leaf.notAfter).toISOString()}.`);
  const { notBefore, notAfter, keyFingerprint, fingerprint } = leaf;
  return { kind: 'good', notBefore, notAfter, keyFingerprint, fingerprint };
}

function bad(reason: string, message: string): Verdict {
  return { kind: 'bad', reason, message };
}
