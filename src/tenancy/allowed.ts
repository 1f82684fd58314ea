// What a Namespace's annotations forbid, as the controller repeats it before it approves, signs or orders: names, wildcards and issuers. The same rules
// as the admission policies', for clusters without them and for what changed since. Called by apply/names-allowed.ts.

import type { IssuerRef } from '../api/certmanager.ts';
import { fullRef } from '../api/issuer-ref.ts';
import { annotations, certManagerGroup } from '../api/names.ts';
import type { ClaimedName } from '../pki/csr-claims.ts';
import type { NotAllowed } from '../plan/seen.ts';
import { templateBehind } from '../plan/stamp.ts';
import { foreignName, readDomains } from '../resolve/domains.ts';

type Marks = Readonly<Record<string, string>>;

/** The first thing that the namespace may not have; undefined where all is allowed, or nobody has made a rule. */
export function notAllowed(
  namespace: string,
  marks: Marks,
  names: readonly ClaimedName[],
  issuer: IssuerRef,
): NotAllowed | undefined {
  const foreign =
    foreignName(namespace, readDomains(marks[annotations.domains]), names) ?? wildcard(namespace, marks, names);
  if (foreign !== undefined) return { reason: 'NamesNotAllowed', message: foreign };
  const other = foreignIssuer(namespace, marks, issuer);
  return other === undefined ? undefined : { reason: 'IssuerNotAllowed', message: other };
}

const listOf = (text: string | undefined) =>
  text
    ?.split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

/** Only where a GatewayTenant speaks: a rule about domains that stands there by hand says nothing of wildcards. */
function wildcard(namespace: string, marks: Marks, names: readonly ClaimedName[]): string | undefined {
  const isTenants = marks[annotations.tenant] !== undefined;
  const found = names.find(({ value }) => value.startsWith('*.'));
  if (!isTenants || found === undefined || listOf(marks[annotations.tenantRules])?.includes('wildcards'))
    return undefined;
  return `Namespace "${namespace}" may not use wildcards, such as "${found.value}". Ask your platform owner to set allowWildcard in the GatewayTenant.`;
}

/** What is stamped from a ClusterIssuer counts as that one. */
function foreignIssuer(namespace: string, marks: Marks, ref: IssuerRef): string | undefined {
  const allowed = listOf(marks[annotations.allowedIssuers]);
  if (allowed === undefined) return undefined;
  const template = templateBehind(ref);
  const { kind, group, name } =
    template === undefined ? fullRef(ref) : { kind: 'ClusterIssuer', group: certManagerGroup, name: template };
  const spelled = group === certManagerGroup ? kind : `${kind}.${group}`;
  if (allowed.includes(`${spelled}/${name}`) || allowed.includes(`${spelled}/*`)) return undefined;
  if (spelled === 'Issuer' && listOf(marks[annotations.tenantRules])?.includes('own-issuers')) return undefined;
  const choice = allowed.length === 0 ? 'none' : allowed.join(', ');
  return `Namespace "${namespace}" may not use ${spelled} "${name}"; it may use ${choice}. Ask your platform owner to allow it in the GatewayTenant.`;
}
