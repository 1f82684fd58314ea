// Whether what exists still is what a Certificate asks for, and if not, in which parts. Called by plan/: any answer but none re-issues.
// A certificate is judged generously, as CAs rewrite subjects; a request of ours is judged exactly.

import type { CertificateSpec } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import type { CertificateFacts } from './certificate.ts';
import type { CsrFacts } from './csr.ts';
import { canonicalIp } from './ip.ts';
import { checkKeySpec, effectiveKey, kindOfKey } from './keys.ts';
import { checkNames, type Names, namesOfSpec } from './names.ts';
import { type PkiProblem, refuse } from './problem.ts';
import { readUsages, unknownUsage } from './usages.ts';

export type SpecPart =
  | 'commonName'
  | 'dnsNames'
  | 'ipAddresses'
  | 'uris'
  | 'emailAddresses'
  | 'subject'
  | 'usages'
  | 'isCA'
  | 'keyAlgorithm'
  | 'keySize';

/** Whether createCsr and generateKey can do what the spec asks; the caller reports the problem instead of trying. */
export function checkRequest(spec: CertificateSpec): Reply<Names, PkiProblem> {
  const unknown = unknownUsage(spec.usages);
  if (unknown !== undefined) {
    return refuse({ kind: 'unsupported', what: 'usage', message: `There is no key usage ${JSON.stringify(unknown)}.` });
  }
  const key = checkKeySpec(spec.privateKey ?? {});
  return key.ok ? checkNames(namesOfSpec(spec)) : key;
}

/** A sentence about the first field that would have to be left out of the certificate or its Secret; issuing without it is worse than not issuing. */
export function unsupportedPart(spec: CertificateSpec): string | undefined {
  const part = notYet.find((name) => spec[name] !== undefined);
  return part === undefined
    ? undefined
    : `spec.${part} is not supported yet; remove it to have the certificate without it.`;
}

const notYet = [
  'literalSubject',
  'otherNames',
  'nameConstraints',
  'signatureAlgorithm',
  'keystores',
  'additionalOutputFormats',
] as const satisfies readonly (keyof CertificateSpec)[];

/** The parts in which a certificate falls short of the spec. ACME CAs drop or invent the common name and every subject part: those pass. */
export function certificateSatisfies(facts: CertificateFacts, spec: CertificateSpec): readonly SpecPart[] {
  const wanted = namesOfSpec(spec);
  const { names } = facts;
  const invented = wanted.commonName?.toLowerCase();
  const dnsNames = names.dnsNames.map((name) => name.toLowerCase());
  return [
    ...(commonNameFits(names, wanted.commonName) ? [] : ['commonName' as const]),
    ...differs('dnsNames', dnsNames, wanted.dnsNames, invented),
    ...differs('ipAddresses', names.ipAddresses, wanted.ipAddresses, canonicalIp(wanted.commonName ?? '')),
    ...differs('uris', names.uris, wanted.uris),
    ...differs('emailAddresses', names.emailAddresses, wanted.emailAddresses),
    ...(facts.isCA === (spec.isCA ?? false) ? [] : ['isCA' as const]),
    ...keyDiffers(facts, spec),
  ];
}

/** The parts in which a request of ours no longer asks for what the spec says now. */
export function requestSatisfies(facts: CsrFacts, spec: CertificateSpec): readonly SpecPart[] {
  const wanted = namesOfSpec(spec);
  const usages = readUsages(spec.usages, spec.isCA ?? false);
  const { names } = facts;
  return [
    ...(names.commonName === wanted.commonName ? [] : ['commonName' as const]),
    ...differs('dnsNames', names.dnsNames, wanted.dnsNames),
    ...differs('ipAddresses', names.ipAddresses, wanted.ipAddresses),
    ...differs('uris', names.uris, wanted.uris),
    ...differs('emailAddresses', names.emailAddresses, wanted.emailAddresses),
    ...(sameSubject(facts, spec) ? [] : ['subject' as const]),
    ...(facts.usages === undefined || JSON.stringify(facts.usages) === JSON.stringify(usages)
      ? []
      : ['usages' as const]),
    ...((facts.isCA ?? false) === (spec.isCA ?? false) ? [] : ['isCA' as const]),
    ...keyDiffers(facts, spec),
  ];
}

function commonNameFits(found: Names, wanted: string | undefined): boolean {
  const alternatives = [...found.dnsNames, ...found.ipAddresses].map((name) => name.toLowerCase());
  if (wanted === undefined)
    return found.commonName === undefined || alternatives.includes(found.commonName.toLowerCase());
  return found.commonName === wanted || alternatives.includes(wanted.toLowerCase());
}

/** As sets; `allowed` may be there without being asked for. */
function differs<P extends SpecPart>(
  part: P,
  found: readonly string[],
  wanted: readonly string[],
  allowed?: string,
): readonly P[] {
  const have = new Set(found);
  const want = new Set(wanted);
  const same =
    [...want].every((name) => have.has(name)) && [...have].every((name) => want.has(name) || name === allowed);
  return same ? [] : [part];
}

function keyDiffers(
  facts: { readonly publicKey: CertificateFacts['publicKey'] },
  spec: CertificateSpec,
): readonly SpecPart[] {
  const wanted = effectiveKey(spec.privateKey);
  const found = kindOfKey(facts.publicKey);
  if (found?.algorithm !== wanted.algorithm) return ['keyAlgorithm'];
  return found.size === wanted.size ? [] : ['keySize'];
}

function sameSubject(facts: CsrFacts, spec: CertificateSpec): boolean {
  const { serialNumber, ...wanted } = spec.subject ?? {};
  const { serialNumber: foundSerial, ...found } = facts.subject.parts;
  const lists = (parts: typeof wanted) =>
    Object.entries(parts)
      .filter(([, values]) => values.length > 0)
      .map(([part, values]) => [part, values.toSorted()] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  return (serialNumber ?? '') === (foundSerial ?? '') && JSON.stringify(lists(wanted)) === JSON.stringify(lists(found));
}
