// Asks what a Namespace may have before anything is approved or signed for it. Called when either reconciler observes.

import type { CertificateSpec, IssuerRef } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import { namespaces } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { type ClaimedName, namesInCsr } from '../pki/csr-claims.ts';
import { namesOfSpec } from '../pki/names.ts';
import type { NotAllowed } from '../plan/seen.ts';
import { notAllowed } from '../tenancy/allowed.ts';
import type { Ports } from './ports.ts';

export interface Asked {
  readonly names: readonly ClaimedName[];
  readonly issuerRef: IssuerRef;
}

/** Undefined where all is allowed, else the first that is not. A problem is neither: nobody is denied for it. */
export async function seeAllowance(
  ports: Pick<Ports, 'kube' | 'stores'>,
  namespace: string,
  { names, issuerRef }: Asked,
): Promise<Reply<NotAllowed | undefined, KubeProblem>> {
  let known = ports.stores.namespaces.get(namespace);
  if (known === undefined) {
    // Younger than our watch, or no watch is allowed: asked, because silence must not be taken for a yes.
    const read = await ports.kube.get(namespaces, { name: namespace });
    if (!read.ok) return read;
    known = read.value;
  }
  return { ok: true, value: notAllowed(namespace, known.metadata.annotations ?? {}, names, issuerRef) };
}

type CsrNames = Parameters<typeof namesInCsr>[0];

/** Those of the CSR, which is what is signed; before there is one, those that the spec lists. */
export function claimedNames(csr: CsrNames | undefined, spec: CertificateSpec): readonly ClaimedName[] {
  if (csr !== undefined) return namesInCsr(csr);
  const { commonName, dnsNames, ipAddresses, uris, emailAddresses } = namesOfSpec(spec);
  const named = (type: ClaimedName['type'], values: readonly string[]) => values.map((value) => ({ type, value }));
  return [
    ...named('commonName', commonName === undefined ? [] : [commonName]),
    ...named('dns', dnsNames),
    ...named('ip', ipAddresses),
    ...named('uri', uris),
    ...named('email', emailAddresses),
  ];
}
