// The Gateway of a tenant's own: one listener for each name, open to the tenant's namespaces alone, and the redirect of port 80. Called by
// apply/tenant-gateway.ts. Certificates follow from it as from any other Gateway: its annotation names the issuer.

import { createHash } from 'node:crypto';
import type { Gateway, HttpRoute, Listener, NamespaceRule } from '../api/gateway.ts';
import type { GatewayTenant, TenantGateway } from '../api/gateway-tenant.ts';
import { annotations, labels } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';
import { apiVersion, gateways, gatewayTenants, httpRoutes } from '../api/resources.ts';
import { foreignName } from '../resolve/domains.ts';
import { foreignBeneath, holder, isSame, ownDomains, type Tenants } from './ownership.ts';

export interface OwnGateway {
  readonly gateway: Gateway;
  /** Absent where port 80 is open to the tenant's routes. */
  readonly redirect?: HttpRoute;
}

export interface GatewayRefusal {
  readonly reason: 'NamespaceConflict' | 'ForeignHostname' | 'AttachedTenant' | 'TooManyListeners';
  readonly message: string;
}

/** Gateway API's own limit. */
const mostListeners = 64;
export const redirectSection = 'http';

/** What shall stand; or why it cannot, for its owner to read. */
export function ownGateway(
  tenant: GatewayTenant,
  spec: TenantGateway,
  tenants: Tenants,
): Reply<OwnGateway, GatewayRefusal> {
  const namespace = spec.namespace ?? tenant.spec.namespaces[0] ?? '';
  const domains = ownDomains(tenant, tenants);
  const secure = listenersOf(spec, domains);
  const refusal = refusalOf(tenant, { spec, namespace, domains, secure }, tenants);
  if (refusal !== undefined) return { ok: false, problem: refusal };
  const name = spec.name ?? 'gateway';
  const gateway: Gateway = {
    apiVersion: apiVersion(gateways),
    kind: gateways.kind,
    metadata: {
      ...ours(tenant, namespace, name),
      ...(spec.issuer !== undefined && { annotations: { [annotations.clusterIssuer]: spec.issuer } }),
    },
    spec: {
      gatewayClassName: spec.className,
      allowedListeners: { namespaces: listenerSetsOf(tenant, spec) },
      listeners: [plain(tenant, spec, namespace), ...secure.map((each) => open(each, tenant, spec))],
    },
  };
  const redirect = spec.httpListener === 'Open' ? {} : { redirect: redirectOf(tenant, namespace, name) };
  return { ok: true, value: { gateway, ...redirect } };
}

interface Scene {
  readonly spec: TenantGateway;
  readonly namespace: string;
  readonly domains: readonly string[];
  readonly secure: readonly Listener[];
}

function refusalOf(tenant: GatewayTenant, scene: Scene, tenants: Tenants): GatewayRefusal | undefined {
  const { spec, namespace, domains, secure } = scene;
  if (!isSame(holder(tenants.byNamespace(namespace)), tenant)) {
    const message = `Namespace ${namespace}, where the Gateway would stand, is another, older GatewayTenant's; name one of your own in gateway.namespace.`;
    return { reason: 'NamespaceConflict', message };
  }
  const taken = (spec.attachedNamespaces ?? []).find((each) => holder(tenants.byNamespace(each)) !== undefined);
  if (taken !== undefined) {
    const message = `gateway.attachedNamespaces names ${taken}, which belongs to a tenant; only namespaces of no tenant may attach.`;
    return { reason: 'AttachedTenant', message };
  }
  const rule = [...domains, ...foreignBeneath(tenant, domains, tenants).map((each) => `!${each}`)];
  const names = secure.flatMap(({ hostname }) =>
    hostname === undefined ? [] : [{ type: 'dns' as const, value: hostname }],
  );
  const foreign = foreignName(namespace, rule, names);
  if (foreign !== undefined) return { reason: 'ForeignHostname', message: foreign };
  if (secure.length < mostListeners) return undefined;
  const message = `The Gateway would have ${secure.length + 1} listeners, and ${mostListeners} is the most; name fewer hosts, or use certificates dns01.`;
  return { reason: 'TooManyListeners', message };
}

function listenersOf(spec: TenantGateway, domains: readonly string[]): readonly Listener[] {
  const passthrough = (spec.passthrough ?? []).map(
    ({ name, hostname }): Listener => ({
      name: `tls-${name}`,
      hostname,
      port: 443,
      protocol: 'TLS',
      tls: { mode: 'Passthrough' },
    }),
  );
  return [...terminating(spec, domains), ...passthrough];
}

function terminating(spec: TenantGateway, domains: readonly string[]): readonly Listener[] {
  const gateway = spec.name ?? 'gateway';
  switch (spec.certificates) {
    case 'http01':
      return (spec.hostnames ?? []).map((host) => https(`https-${short(host)}`, host, `${gateway}-${short(host)}-tls`));
    case 'dns01':
      return domains.flatMap((domain) => pair(domain, `${gateway}-${short(domain)}-tls`));
    case 'existingSecret':
      return domains.flatMap((domain) => pair(domain, spec.secretName ?? ''));
    default:
      return spec.certificates satisfies never;
  }
}

/** One Secret, and so one certificate, for both. */
function pair(domain: string, secret: string): readonly Listener[] {
  return [https(`https-${short(domain)}`, `*.${domain}`, secret), https(`https-apex-${short(domain)}`, domain, secret)];
}

function https(name: string, hostname: string, secret: string): Listener {
  return {
    name,
    hostname,
    port: 443,
    protocol: 'HTTPS',
    tls: { mode: 'Terminate', certificateRefs: [{ name: secret }] },
  };
}

/** The first label, for people, and a digest, since two hosts may share it. */
function short(host: string): string {
  const [label = ''] = host.split('.');
  return `${label.slice(0, 20).replace(/-+$/, '')}-${createHash('sha256').update(host).digest('hex').slice(0, 8)}`;
}

function among(namespaces: readonly string[]): NamespaceRule {
  const values = [...new Set(namespaces)].sort();
  return {
    from: 'Selector',
    selector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] },
  };
}

/** The API server writes the label that is asked for; nobody can choose it. */
function open(listener: Listener, { spec }: GatewayTenant, { attachedNamespaces = [] }: TenantGateway): Listener {
  const namespaces = among([...spec.namespaces, ...attachedNamespaces]);
  return {
    ...listener,
    allowedRoutes: {
      namespaces,
      kinds: [{ kind: listener.protocol === 'TLS' ? 'TLSRoute' : 'HTTPRoute' }, ...grpc(listener)],
    },
  };
}

function grpc({ protocol }: Listener): readonly { readonly kind: string }[] {
  return protocol === 'TLS' ? [] : [{ kind: 'GRPCRoute' }];
}

/** Challenges come in here, for ListenerSets too. */
function plain({ spec }: GatewayTenant, own: TenantGateway, namespace: string): Listener {
  const sets = own.listenerSets === 'Tenant' ? spec.namespaces : [];
  const open = own.httpListener === 'Open' ? [...spec.namespaces, ...(own.attachedNamespaces ?? [])] : [];
  return {
    name: redirectSection,
    port: 80,
    protocol: 'HTTP',
    allowedRoutes: { namespaces: among([namespace, ...sets, ...open]), kinds: [{ kind: 'HTTPRoute' }] },
  };
}

function listenerSetsOf({ spec }: GatewayTenant, { listenerSets }: TenantGateway): NamespaceRule {
  return listenerSets === 'Tenant' ? among(spec.namespaces) : { from: 'None' };
}

function redirectOf(tenant: GatewayTenant, namespace: string, gateway: string): HttpRoute {
  return {
    apiVersion: apiVersion(httpRoutes),
    kind: httpRoutes.kind,
    metadata: ours(tenant, namespace, `${gateway}-redirect`),
    spec: {
      parentRefs: [{ name: gateway, sectionName: redirectSection }],
      rules: [{ filters: [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https', statusCode: 301 } }] }],
    },
  };
}

function ours({ metadata }: GatewayTenant, namespace: string, name: string): Gateway['metadata'] {
  return {
    name,
    namespace,
    labels: { [labels.managedBy]: 'certway', [labels.tenant]: metadata.name },
    ownerReferences: [
      {
        apiVersion: apiVersion(gatewayTenants),
        kind: gatewayTenants.kind,
        name: metadata.name,
        uid: metadata.uid ?? '',
      },
    ],
  };
}
