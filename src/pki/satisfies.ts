// Whether what exists still is what a Certificate asks for, and if not, in which parts. Called by plan/: any answer but none re-issues.
// A certificate is judged generously, as CAs rewrite subjects; a request of ours is judged exactly.

import type { CertificateSpec } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import type { CertificateFacts } from './certificate.ts';
import { checkSubject } from './check-subject.ts';
import type { CsrFacts } from './csr.ts';
import { canonicalIp } from './ip.ts';
import { checkKeySpec, effectiveKey, kindOfKey } from './keys.ts';
import { parseLiteralSubject } from './literal-subject.ts';
import { constraintsFault, factsOf, sameSubtrees } from './name-constraints.ts';
import { checkNames, type Names, namesOfSpec, otherNameText } from './names.ts';
import { oids } from './oids.ts';
import { type PkiProblem, refuse } from './problem.ts';
import { signatureFault } from './signature.ts';
import { type RelativeName, relativeNames, sameName } from './subject.ts';
import { readUsages, sameUsages, usageFault } from './usages.ts';

export type SpecPart =
  | 'commonName'
  | 'dnsNames'
  | 'ipAddresses'
  | 'uris'
  | 'emailAddresses'
  | 'otherNames'
  | 'subject'
  | 'literalSubject'
  | 'nameConstraints'
  | 'signatureAlgorithm'
  | 'usages'
  | 'isCA'
  | 'keyAlgorithm'
  | 'keySize';

/** Whether createCsr and generateKey can do what the spec asks; the caller reports the problem instead of trying. */
export function checkRequest(spec: CertificateSpec): Reply<Names, PkiProblem> {
  const unknown = usageFault(spec.usages);
  if (unknown !== undefined) return refuse(unknown);
  const key = checkKeySpec(spec.privateKey ?? {});
  if (!key.ok) return key;
  const fault = checkSignature(spec) ?? checkSubject(spec) ?? checkConstraints(spec);
  if (fault !== undefined) return refuse(fault);
  const names = namesOfSpec(spec);
  return Object.values(names).every((each) => each.length === 0) ? refuse(nameless) : checkNames(names);
}

function checkSignature({ signatureAlgorithm, privateKey }: CertificateSpec): PkiProblem | undefined {
  if (signatureAlgorithm === undefined) return undefined;
  const message = signatureFault(signatureAlgorithm, effectiveKey(privateKey).algorithm);
  return message === undefined ? undefined : { kind: 'unsupported', what: 'signature', message };
}

function checkConstraints({ nameConstraints, isCA }: CertificateSpec): PkiProblem | undefined {
  if (nameConstraints === undefined) return undefined;
  const message =
    isCA === true
      ? constraintsFault(nameConstraints)
      : 'spec.nameConstraints is for CAs only: set spec.isCA to true, or remove it.';
  return message === undefined ? undefined : { kind: 'unsupported', what: 'name', message };
}

const nameless: PkiProblem = {
  kind: 'unsupported',
  what: 'name',
  message:
    'The Certificate names nothing: give at least one of dnsNames, ipAddresses, uris, emailAddresses, otherNames, commonName, or a CN in literalSubject.',
};

/**
 * The parts in which a certificate falls short of the spec. ACME CAs drop or invent the common name and every subject part: those pass, as
 * do other names that a CA adds and constraints that it puts on a CA by itself. Which algorithm signed is the issuer's affair.
 */
export function certificateSatisfies(facts: CertificateFacts, spec: CertificateSpec): readonly SpecPart[] {
  const wanted = namesOfSpec(spec);
  const { names } = facts;
  const invented = wanted.commonName?.toLowerCase();
  return [
    ...(commonNameFits(names, wanted.commonName) ? [] : ['commonName' as const]),
    ...differs('dnsNames', lowered(names.dnsNames), wanted.dnsNames, invented),
    ...differs('ipAddresses', names.ipAddresses, wanted.ipAddresses, canonicalIp(wanted.commonName ?? '')),
    ...differs('uris', names.uris, wanted.uris),
    ...differs('emailAddresses', names.emailAddresses, wanted.emailAddresses),
    ...(lacking(names, wanted) ? ['otherNames' as const] : []),
    ...(constrained(facts, spec) ? [] : ['nameConstraints' as const]),
    ...(facts.isCA === (spec.isCA ?? false) ? [] : ['isCA' as const]),
    ...keyDiffers(facts, spec),
  ];
}

/** The parts in which a request of ours no longer asks for what the spec says now. */
export function requestSatisfies(facts: CsrFacts, spec: CertificateSpec): readonly SpecPart[] {
  const wanted = namesOfSpec(spec);
  const { names } = facts;
  return [
    ...(names.commonName === wanted.commonName ? [] : ['commonName' as const]),
    ...differs('dnsNames', lowered(names.dnsNames), wanted.dnsNames),
    ...differs('ipAddresses', names.ipAddresses, wanted.ipAddresses),
    ...differs('uris', names.uris, wanted.uris),
    ...differs('emailAddresses', names.emailAddresses, wanted.emailAddresses),
    ...differs('otherNames', otherNames(names), otherNames(wanted)),
    ...subjectDiffers(facts, spec),
    ...(sameConstraints(facts, spec) ? [] : ['nameConstraints' as const]),
    ...(usagesFit(facts, spec) ? [] : ['usages' as const]),
    ...((facts.isCA ?? false) === (spec.isCA ?? false) ? [] : ['isCA' as const]),
    ...keyDiffers(facts, spec),
    ...(spec.signatureAlgorithm === undefined || spec.signatureAlgorithm === facts.signatureAlgorithm
      ? []
      : ['signatureAlgorithm' as const]),
  ];
}

/** Without encoded usages, those of the CertificateRequest count; with them left out on purpose, none may be there. */
function usagesFit({ usages }: CsrFacts, spec: CertificateSpec): boolean {
  if (usages === undefined) return true;
  return spec.encodeUsagesInRequest !== false && sameUsages(usages, readUsages(spec.usages, spec.isCA ?? false));
}

function otherNames({ otherNames = [] }: Names): readonly string[] {
  return otherNames.map(otherNameText);
}

function lacking(found: Names, wanted: Names): boolean {
  const have = new Set(otherNames(found));
  return !otherNames(wanted).every((name) => have.has(name));
}

function constrained({ nameConstraints: found }: CertificateFacts, { nameConstraints }: CertificateSpec): boolean {
  return nameConstraints === undefined || (found !== undefined && sameSubtrees(found, factsOf(nameConstraints)));
}

function sameConstraints({ nameConstraints: found }: CsrFacts, { nameConstraints }: CertificateSpec): boolean {
  const wanted = nameConstraints === undefined ? undefined : factsOf(nameConstraints);
  if (found === undefined || wanted === undefined) return found === wanted;
  return found.critical === wanted.critical && sameSubtrees(found, wanted);
}

/** cert-manager's requests keep the case of the spec. */
function lowered(names: readonly string[]): readonly string[] {
  return names.map((name) => name.toLowerCase());
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

/** A literal subject is its order too; the parts of spec.subject have none, as in cert-manager. */
function subjectDiffers({ subject }: CsrFacts, spec: CertificateSpec): readonly SpecPart[] {
  const literal = spec.literalSubject ?? '';
  if (literal !== '') {
    const wanted = parseLiteralSubject(literal);
    return wanted.ok && sameName(subject.relativeNames, wanted.value) ? [] : ['literalSubject'];
  }
  const wanted = relativeNames(spec.subject, namesOfSpec(spec).commonName);
  return sameName(unnamed(subject.relativeNames), unnamed(wanted)) ? [] : ['subject'];
}

/** All attributes as one unordered name, without the common name, which is judged by itself. */
function unnamed(names: readonly RelativeName[]): readonly RelativeName[] {
  const all = names.flat();
  const commonName = all.findLastIndex(({ oid }) => oid === oids.commonName);
  return [all.filter((_, at) => at !== commonName)];
}
