// Builds what `certway status` has fetched: "team/set" on infra/gw with all that an issuance by ACME leaves, changed where a row says so.

import type { Certificate, CertificateRequest, Issuer } from '../../src/api/certmanager.ts';
import type { HttpRoute } from '../../src/api/gateway.ts';
import type { Condition, KubeObject } from '../../src/api/meta.ts';
import type { Order } from '../../src/api/order.ts';
import type { StatusView, ViewNode } from '../../src/cli/status-node.ts';
import type { Many, Named, StatusScene, Subject, Surroundings } from '../../src/cli/status-scene.ts';
import { statusView } from '../../src/cli/status-view.ts';
import { newCertificate } from '../../src/plan/listeners-change.ts';
import { resolveGateway } from '../../src/resolve/gateway.ts';
import { clusterIssuer, listenerSet, only, openGateway, options, world } from '../resolve/world.ts';

export const now = Date.parse('2026-03-01T12:00:00Z');
const notAfter = '2026-05-01T12:00:00Z';
const renewalTime = '2026-04-01T12:00:00Z';

export const seen = <T>(...value: readonly T[]): Many<T> => ({ kind: 'seen', value });
export const hidden = (why: string) => ({ kind: 'hidden', cause: 'forbidden', why }) as const;

export const gw = openGateway({ annotations: clusterIssuer('le') });
export const set = listenerSet();

export function issuer(name: string, status: Condition['status'] = 'True', message = 'fine', kind = 'ClusterIssuer') {
  const namespace = kind === 'Issuer' ? { namespace: 'team' } : {};
  const conditions = [{ type: 'Ready', status, message }];
  const metadata = { name, ...namespace };
  return { apiVersion: 'cert-manager.io/v1', kind, metadata, spec: {}, status: { conditions } } satisfies Issuer;
}

/** The Certificate that the set asks for, in the state that the conditions give. */
export function foo(conditions: readonly Condition[], parts: Partial<Certificate['status']> = {}): Certificate {
  const made = newCertificate(only(resolveGateway(world(gw, [set]))));
  return { ...made, metadata: { ...made.metadata, uid: 'uid-foo-tls' }, status: { conditions, ...parts } };
}

export const isReady: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'Ready',
  message: 'Certificate is up to date',
};
export const isMissing: Condition = { type: 'Ready', status: 'False', reason: 'DoesNotExist', message: 'No Secret.' };
export const issuing = (reason: string, message: string, status: Condition['status'] = 'True'): Condition => ({
  type: 'Issuing',
  status,
  reason,
  message,
});

function ownedBy({ apiVersion, kind, metadata }: KubeObject, name: string) {
  const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' };
  return { name, namespace: 'team', uid: `uid-${name}`, ownerReferences: [owner] };
}

export const good = foo([isReady], { notAfter, renewalTime, revision: 1 });

export const request: CertificateRequest = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'CertificateRequest',
  metadata: ownedBy(good, 'foo-tls-1'),
  spec: { issuerRef: { name: 'le' }, request: '' },
  status: { conditions: [{ type: 'Ready', status: 'True', reason: 'Issued' }] },
};

export function order(state: 'pending' | 'valid', wait?: { readonly reason: string; readonly message: string }): Order {
  const noted = { ...wait, attempts: 3, nextAttemptAt: '2026-03-01T12:01:00Z' };
  const annotations = wait === undefined ? {} : { 'certway.dev/state': JSON.stringify(noted) };
  return {
    apiVersion: 'acme.cert-manager.io/v1',
    kind: 'Order',
    metadata: { ...ownedBy(request, 'foo-tls-1-7'), annotations },
    spec: { issuerRef: { name: 'le' }, request: '', dnsNames: ['foo.com'] },
    status: { state, url: 'https://ca/order/7' },
  };
}

export function route(conditions: readonly Condition[]): HttpRoute {
  const parentRef = { name: 'gw', namespace: 'infra', sectionName: 'http' };
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: ownedBy(order('pending'), 'acme-foo-com'),
    spec: { hostnames: ['foo.com'], parentRefs: [parentRef] },
    status: { parents: [{ parentRef, controllerName: 'example.com/plane', conditions }] },
  };
}

const secret = {
  name: 'foo-tls',
  annotations: {
    'cert-manager.io/certificate-name': 'foo-tls',
    'cert-manager.io/issuer-kind': 'ClusterIssuer',
    'cert-manager.io/issuer-name': 'le',
  },
};

/** Issued and everything to be seen; `parts` is what differs. */
export function scene(parts: Partial<Surroundings> = {}, subject?: Subject, asked: Partial<Named> = {}): StatusScene {
  return {
    asked: { kind: 'ListenerSet', namespace: 'team', name: 'set', ...asked },
    options,
    subject: subject ?? { kind: 'listeners', object: set },
    around: {
      gateway: { kind: 'seen', value: gw },
      sets: seen(set),
      setsFrom: 'everywhere',
      labels: { kind: 'seen', value: new Map() },
      certificates: seen(good),
      requests: seen(request),
      orders: seen(order('valid')),
      routes: seen(),
      issuers: seen(),
      clusterIssuers: seen(issuer('le')),
      secrets: new Map([['foo-tls', { kind: 'seen', value: secret }]]),
      warnings: seen(),
      ...parts,
    },
  };
}

export const viewOf = (...parts: Parameters<typeof scene>): StatusView => statusView(scene(...parts), now);

/** Every node as "mark what name: says", in order. */
export function linesOf(nodes: readonly ViewNode[]): readonly string[] {
  return nodes.flatMap(({ mark, what, name = '', says, under = [] }) => [
    `${mark} ${what} ${name}: ${says}`,
    ...linesOf(under),
  ]);
}
