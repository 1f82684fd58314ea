// Whether the subject that a spec asks for can be written, and if not, what is wrong with it in a sentence. Called by checkRequest.

import type { CertificateSpec } from '../api/certmanager.ts';
import { attributeFault, attributeName, isClean } from './attributes.ts';
import { parseLiteralSubject } from './literal-subject.ts';
import { oids } from './oids.ts';
import type { PkiProblem } from './problem.ts';
import { listParts, type RelativeName } from './subject.ts';

const mostCommonNameBytes = 64;

/** Undefined where the subject can be written. */
export function checkSubject(spec: CertificateSpec): PkiProblem | undefined {
  const literal = spec.literalSubject ?? '';
  if (literal === '') return checkParts(spec);
  const rival = literalRival(spec);
  if (rival !== undefined) {
    return problem(`spec.literalSubject is the whole subject: remove ${rival}, or move it into the literal subject.`);
  }
  const names = parseLiteralSubject(literal);
  return names.ok ? faultOf(names.value) : names.problem;
}

function literalRival({ commonName, subject }: CertificateSpec): string | undefined {
  if (commonName !== undefined && commonName !== '') return 'spec.commonName';
  const part = Object.entries(subject ?? {}).find(([, value]) => value !== undefined && value.length > 0)?.[0];
  return part === undefined ? undefined : `spec.subject.${part}`;
}

function faultOf(names: readonly RelativeName[]): PkiProblem | undefined {
  for (const { oid, text } of names.flat()) {
    if (text === undefined) {
      if (oid === oids.commonName) return problem('spec.literalSubject: the value of CN is no text.');
      continue;
    }
    const fault = attributeFault(oid, text) ?? (oid === oids.commonName ? tooLongName(text) : undefined);
    if (fault !== undefined) return problem(`spec.literalSubject: the value of ${attributeName(oid)} ${fault}.`);
  }
  return undefined;
}

function checkParts({ commonName, subject }: CertificateSpec): PkiProblem | undefined {
  for (const [part, oid] of listParts) {
    for (const text of subject?.[part] ?? []) {
      const fault = attributeFault(oid, text);
      if (fault !== undefined) return problem(`spec.subject.${part}: ${quote(text)} ${fault}.`);
    }
  }
  const serial = subject?.serialNumber ?? '';
  const fault = serial === '' ? undefined : attributeFault(oids.serialNumber, serial);
  if (fault !== undefined) return problem(`spec.subject.serialNumber: ${quote(serial)} ${fault}.`);
  return commonName === undefined || commonName === '' ? undefined : checkCommonName(commonName);
}

function checkCommonName(name: string): PkiProblem | undefined {
  const fault = isClean(name) ? tooLongName(name) : 'has a control character or broken Unicode in it; remove it';
  return fault === undefined
    ? undefined
    : problem(`A certificate cannot carry the common name ${quote(name)}: it ${fault}.`);
}

/** In bytes, as cert-manager and Boulder count, though the standard counts characters. */
function tooLongName(name: string): string | undefined {
  const length = Buffer.byteLength(name);
  return length <= mostCommonNameBytes
    ? undefined
    : `has ${length} bytes; at most ${mostCommonNameBytes} are allowed. Clients look at dnsNames, which may be longer`;
}

function quote(text: string): string {
  return text === '' ? 'an entry' : JSON.stringify(text.slice(0, 80));
}

function problem(message: string): PkiProblem {
  return { kind: 'unsupported', what: 'subject', message };
}
