// The HTTPRoute that leads the CA's challenge requests for one hostname to our Service, and the grant that lets it point there.
// Called by apply/: created when an Order is pending, deleted first when it is not. Pure; the name depends on parent and hostname only.

import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { HttpRoute, ParentRef, ReferenceGrant } from '../api/gateway.ts';
import type { OwnerReference } from '../api/meta.ts';
import { labels as labelNames } from '../api/names.ts';
import { apiVersion, httpRoutes, referenceGrants } from '../api/resources.ts';
import { hostLabel } from './host.ts';
import { distinctParents, explicitParent, type Parent } from './parents.ts';

export const challengePath = '/.well-known/acme-challenge/';

export interface SolverService {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

export interface ChallengeRoute {
  /** A DNS name without wildcard, or an IP address. */
  readonly host: string;
  /** As path.ts found them: at least one. */
  readonly parentRefs: readonly ParentRef[];
  /** Of the Certificate and its Order: routes never leave it. */
  readonly namespace: string;
  readonly service: SolverService;
  readonly owner: OwnerReference;
  /** The solver's own labels; they cannot override ours. */
  readonly labels: Readonly<Record<string, string>>;
}

/** A wildcard is a bug here: pickSolver and pickHttpListener refuse it. */
export function challengeRoute({ host, parentRefs, namespace, service, owner, labels }: ChallengeRoute): HttpRoute {
  if (host.startsWith('*.')) throw new Error(`no HTTP-01 route can prove the wildcard ${host}`);
  const parents = distinctParents(parentRefs.map((ref) => explicitParent(ref, namespace)));
  return {
    apiVersion: apiVersion(httpRoutes),
    kind: httpRoutes.kind,
    metadata: {
      name: routeName(host, parents),
      namespace,
      labels: { ...labels, ...addressLabel(host), [labelNames.managedBy]: 'certway' },
      ownerReferences: [owner],
    },
    spec: {
      parentRefs: parents,
      // An IP address is no hostname in Gateway API: the route then matches by its path alone.
      ...(isIP(host) === 0 && { hostnames: [host] }),
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: challengePath } }],
          backendRefs: [{ group: '', kind: 'Service', ...service, weight: 1 }],
        },
      ],
    },
  };
}

/** By which the route of an address is found again: it has no hostname that would tell. */
function addressLabel(host: string): Readonly<Record<string, string>> {
  return isIP(host) === 0 ? {} : { [`${labelNames.hostPrefix}${hostLabel(host)}`]: 'true' };
}

/** One name per (parents, hostname): a DNS label that begins with as much of the hostname as fits. */
function routeName(host: string, parents: readonly Parent[]): string {
  const places = parents.flatMap(({ group, kind, namespace, name, sectionName }) => [
    group,
    kind,
    namespace,
    name,
    sectionName,
  ]);
  const identity = [...places, host.toLowerCase()];
  const hash = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 10);
  const readable = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 42)
    .replace(/-+$/, '');
  return `acme-${readable}-${hash}`.replace('--', '-');
}

/** Stands in the Service's namespace and lets HTTPRoutes of `routeNamespace` point at it. */
export function grantFor(routeNamespace: string, service: SolverService): ReferenceGrant {
  const hash = createHash('sha256').update(routeNamespace).digest('hex').slice(0, 10);
  return {
    apiVersion: apiVersion(referenceGrants),
    kind: referenceGrants.kind,
    metadata: {
      name: `acme-${routeNamespace.slice(0, 46)}-${hash}`,
      namespace: service.namespace,
      labels: { [labelNames.managedBy]: 'certway' },
    },
    spec: {
      from: [{ group: httpRoutes.group, kind: httpRoutes.kind, namespace: routeNamespace }],
      to: [{ group: '', kind: 'Service', name: service.name }],
    },
  };
}
