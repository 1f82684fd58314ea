// What a CSR claims, for those who decide whether it may be signed: every name in it, and whether it agrees with the CertificateRequest
// around it. Called by sign.ts before each signature, by approval, and by the tenancy rules, whose door namesInCsr is.

import type { CertificateRequest } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import type { CsrFacts } from './csr.ts';
import { otherNameText } from './names.ts';
import { oids } from './oids.ts';
import { type PkiProblem, refuse } from './problem.ts';
import { readUsages, sameUsages, usageFault, usageNames } from './usages.ts';

export interface ClaimedName {
  readonly type: 'commonName' | 'dns' | 'ip' | 'uri' | 'email' | 'otherName';
  /** As it stands in the request: compare without regard to case. IP addresses are canonical, other names are `oid:text`. */
  readonly value: string;
}

/**
 * Every name, each once: all common names and email addresses of the subject, wherever in it they stand (a literal subject may have
 * several), then the alternative names. readCsr has refused the kinds that are not listed here.
 */
export function namesInCsr(facts: Pick<CsrFacts, 'names' | 'subject'>): readonly ClaimedName[] {
  const { dnsNames, ipAddresses, uris, emailAddresses, otherNames = [] } = facts.names;
  const inSubject = (oid: string) =>
    facts.subject.relativeNames.flat().flatMap((each) => (each.oid === oid ? (each.text ?? []) : []));
  const all: readonly (readonly [ClaimedName['type'], readonly string[]])[] = [
    ['commonName', inSubject(oids.commonName)],
    ['dns', dnsNames],
    ['ip', ipAddresses],
    ['uri', uris],
    ['email', [...inSubject(oids.emailAddress), ...emailAddresses]],
    ['otherName', otherNames.map(otherNameText)],
  ];
  return all.flatMap(([type, values]) => [...new Set(values)].map((value) => ({ type, value })));
}

/**
 * What a CSR encodes of usages and basic constraints must be what spec.usages and spec.isCA say, for approvers read those. What it leaves
 * out is taken from the spec, as in cert-manager, whose own CSRs carry no basic constraints. Name constraints need a CA.
 */
export function checkCsrAgainstRequest(
  facts: Pick<CsrFacts, 'usages' | 'isCA' | 'nameConstraints'>,
  asked: Pick<CertificateRequest['spec'], 'usages' | 'isCA'>,
): Reply<'agrees', PkiProblem> {
  const unknown = usageFault(asked.usages);
  if (unknown !== undefined) return refuse(unknown);
  const isCA = asked.isCA === true;
  if (facts.isCA !== undefined && facts.isCA !== isCA) {
    const found = facts.isCA ? 'asks for a CA certificate' : 'asks for a certificate that is no CA';
    return disagrees(`The CSR ${found}, and spec.isCA of its CertificateRequest is ${isCA}.`);
  }
  const wanted = readUsages(asked.usages, isCA);
  if (facts.usages !== undefined && !sameUsages(facts.usages, wanted)) {
    return disagrees(
      `The CSR asks for the usages ${usageNames(facts.usages)}, and its CertificateRequest for ${usageNames(wanted)}.`,
    );
  }
  return facts.nameConstraints !== undefined && !isCA
    ? disagrees('The CSR has name constraints, which only a CA certificate can carry, and spec.isCA is false.')
    : { ok: true, value: 'agrees' };
}

function disagrees(what: string): ReturnType<typeof refuse> {
  return refuse({ kind: 'disagrees', message: `${what} Make a CertificateRequest in which the two agree.` });
}
