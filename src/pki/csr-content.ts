// What a request asks for beside its key: subject, names, usages, constraints. Read strictly, for it may come from a tenant and may be
// passed on to a CA that reads it in its own way: whatever two readers could see differently is refused. Called by readCsr.

import type { Reply } from '../api/reply.ts';
import { isClean } from './attributes.ts';
import { type DerNode, readOid } from './der-read.ts';
import { type Extension, readConstraints, readExtensions, requestedUsages } from './extensions.ts';
import { type ConstraintFacts, readConstraintsExtension } from './name-constraints.ts';
import { checkNames, type Names, readAltNames } from './names.ts';
import { oids } from './oids.ts';
import { type PkiProblem, refuse } from './problem.ts';
import { readSubject, type SubjectFacts } from './subject.ts';
import type { Usages } from './usages.ts';

export interface CsrContent {
  readonly names: Names;
  readonly subject: SubjectFacts;
  /** Undefined where the request leaves them to the signer. */
  readonly usages?: Usages;
  readonly isCA?: boolean;
  readonly nameConstraints?: ConstraintFacts;
}

export const notCsr: PkiProblem = {
  kind: 'malformed',
  what: 'csr',
  message: 'The request is not a PKCS #10 certificate request.',
};

/** The subject and the attributes of a CertificationRequestInfo (RFC 2986 §4.1). */
export function readContent(name: DerNode | undefined, attributes: DerNode | undefined): Reply<CsrContent, PkiProblem> {
  const subject = readSubject(name);
  const isPlaced = attributes === undefined || attributes.tag === 0xa0;
  const extensions = isPlaced ? readRequested(attributes?.children ?? []) : undefined;
  if (subject === undefined || extensions === undefined) return refuse(notCsr);
  const fault = subjectFault(subject);
  if (fault !== undefined) return refuse(fault);
  const names = requestedNames(subject, extensions);
  if (!names.ok) return names;
  const extension = extensions.get(oids.nameConstraints);
  const nameConstraints = extension === undefined ? undefined : readConstraintsExtension(extension);
  if (extension !== undefined && nameConstraints === undefined) {
    const message =
      'The request’s name constraints are of a kind that is not supported; use DNS domains, IP ranges, email addresses and URI domains.';
    return refuse({ kind: 'unsupported', what: 'name', message });
  }
  const usages = requestedUsages(extensions);
  return {
    ok: true,
    value: {
      names: names.value,
      subject,
      ...(usages === undefined ? {} : { usages }),
      ...(extensions.has(oids.basicConstraints) ? { isCA: readConstraints(extensions).isCA } : {}),
      ...(nameConstraints === undefined ? {} : { nameConstraints }),
    },
  };
}

// Read by OpenSSL as an extension request too.
const microsoftExtensions = '1.3.6.1.4.1.311.2.1.14';

/** One attribute with one value: Go reads the extensions of several, others the first or the last. */
function readRequested(attributes: readonly DerNode[]): ReadonlyMap<string, Extension> | undefined {
  const types = attributes.map((node) => readOid(node.children[0]));
  const requests = attributes.filter((_, at) => types[at] === oids.extensionRequest);
  const [request] = requests;
  if (requests.length > 1 || types.includes(microsoftExtensions)) return undefined;
  if (request === undefined) return new Map();
  const values = request.children[1]?.children ?? [];
  return values.length === 1 ? readExtensions(values[0]) : undefined;
}

function subjectFault({ relativeNames }: SubjectFacts): PkiProblem | undefined {
  const attributes = relativeNames.flat();
  const names = attributes.filter(({ oid }) => oid === oids.commonName || oid === oids.emailAddress);
  if (names.some(({ text }) => text === undefined)) {
    return subjectProblem('The request’s subject has a name that is no text.');
  }
  return attributes.every(({ text }) => text === undefined || isClean(text))
    ? undefined
    : subjectProblem('The request’s subject has control characters in it.');
}

function subjectProblem(message: string): PkiProblem {
  return { kind: 'unsupported', what: 'subject', message };
}

function requestedNames(subject: SubjectFacts, extensions: ReadonlyMap<string, Extension>): Reply<Names, PkiProblem> {
  const found = readAltNames(extensions.get(oids.subjectAltName)?.value);
  if (found === undefined) {
    const message = 'The request’s subject alternative names are malformed.';
    return refuse({ kind: 'malformed', what: 'csr', message });
  }
  if (found.unread > 0) {
    const message =
      'The request asks for alternative names that are no DNS name, IP address, URI, email address or other name with a UTF-8 text.';
    return refuse({ kind: 'unsupported', what: 'name', message });
  }
  const { unread: _, ...names } = found;
  return checkNames({ ...names, ...(subject.commonName === undefined ? {} : { commonName: subject.commonName }) });
}
