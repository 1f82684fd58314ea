// Which names a namespace may have: the rule that a platform writes as an annotation on the Namespace. Called before anything is approved or signed.
// Without the annotation every name may be asked for; the admission policies that keep tenants from writing it are the tenancy's.

import type { ClaimedName } from '../pki/csr-claims.ts';

/** The domains of `certway.dev/domains`: comma-separated, each with everything beneath it. Undefined: no rule. */
export function readDomains(annotation: string | undefined): readonly string[] | undefined {
  return annotation
    ?.split(',')
    .map((domain) => domain.trim().toLowerCase().replace(/\.$/, ''))
    .filter((domain) => domain !== '');
}

/** The first name outside the domains, as a sentence that says which, and what is allowed. */
export function foreignName(
  namespace: string,
  domains: readonly string[] | undefined,
  names: readonly ClaimedName[],
): string | undefined {
  if (domains === undefined) return undefined;
  const foreign = names.find((name) => !isWithin(name, domains));
  if (foreign === undefined) return undefined;
  const allowed = domains.length === 0 ? 'it may use none' : `it may use ${domains.join(', ')} and names beneath`;
  return `Namespace "${namespace}" may not have a certificate for ${spell(foreign)}; ${allowed}. Ask your platform owner for the domain.`;
}

/** Names that are no DNS names cannot be told to lie beneath a domain, unless they say their host. */
function isWithin({ type, value }: ClaimedName, domains: readonly string[]): boolean {
  const host = hostOf(type, value);
  return host !== undefined && domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
}

function hostOf(type: ClaimedName['type'], value: string): string | undefined {
  switch (type) {
    case 'commonName':
    case 'dns':
      return value.toLowerCase().replace(/^\*\./, '').replace(/\.$/, '');
    case 'email':
      return value.slice(value.lastIndexOf('@') + 1).toLowerCase();
    case 'uri':
      return URL.parse(value)?.hostname.toLowerCase();
    case 'ip':
    case 'otherName':
      return undefined;
    default:
      return type satisfies never;
  }
}

function spell({ type, value }: ClaimedName): string {
  return `${type === 'dns' ? '' : `the ${type} `}"${value}"`;
}
