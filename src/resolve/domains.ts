// Which names a namespace may have: the rule that a platform writes as an annotation on the Namespace. Called before anything is approved or signed.
// Without the annotation every name may be asked for; the admission policies that keep tenants from writing it are the tenancy's.

import type { ClaimedName } from '../pki/csr-claims.ts';

/**
 * The entries of `certway.dev/domains`: comma-separated, each a domain with everything beneath it; after a "!" one that is not the namespace's
 * though it lies beneath. The longest that fits decides. Undefined: no rule.
 */
export function readDomains(annotation: string | undefined): readonly string[] | undefined {
  return annotation
    ?.split(',')
    .map((domain) => domain.trim().toLowerCase().replace(/\.$/, ''))
    .filter((domain) => domain !== '' && domain !== '!');
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
  const own = domains.filter((domain) => !domain.startsWith('!'));
  const allowed = own.length === 0 ? 'it may use none' : `it may use ${own.join(', ')} and names beneath`;
  return `Namespace "${namespace}" may not have a certificate for ${spell(foreign)}; ${allowed}. Ask your platform owner for the domain.`;
}

/** Names that are no DNS names cannot be told to lie beneath a domain, unless they say their host. */
function isWithin({ type, value }: ClaimedName, domains: readonly string[]): boolean {
  const host = hostOf(type, value);
  if (host === undefined) return false;
  const fitting = domains.filter((entry) => isBeneath(host, bare(entry)));
  const longest = fitting.reduce((a, b) => (bare(b).length > bare(a).length ? b : a), '!');
  // A wildcard has every name beneath it: none of another's may lie there.
  const others = domains.filter((entry) => entry.startsWith('!') && bare(entry).endsWith(`.${host}`));
  return !longest.startsWith('!') && !(value.startsWith('*.') && others.length > 0);
}

function bare(entry: string): string {
  return entry.replace(/^!/, '');
}

function isBeneath(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
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
