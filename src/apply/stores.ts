// The caches of everything that is watched, with the indexes that keep each event's work proportional to what it touches.

import type { Certificate, CertificateRequest, Issuer } from '../api/certmanager.ts';
import type { Challenge } from '../api/challenge.ts';
import type { Gateway, HttpRoute, Listener, ListenerSet } from '../api/gateway.ts';
import type { GatewayTenant } from '../api/gateway-tenant.ts';
import { fullRef } from '../api/issuer-ref.ts';
import type { KubeObject } from '../api/meta.ts';
import { annotations, certManagerGroup, labels } from '../api/names.ts';
import type { Order } from '../api/order.ts';
import { Store } from '../kube/store.ts';
import { vaultSecretNames } from '../plan/issuer-vault.ts';
import { passwordSecrets } from '../plan/keystores-wanted.ts';
import { templateBehind, templateOf } from '../plan/stamp.ts';
import { parentKey } from '../resolve/source.ts';
import { hostLabel } from '../solve/host.ts';
import { domainOf, domainsAbove } from '../tenancy/ownership.ts';
import { dnsSecrets } from './dns-secrets.ts';
import { wantedIssuerKey } from './issuer-of.ts';
import { hostsOf } from './order-object.ts';
import type { Stores } from './ports.ts';

export function makeStores(onBug: (error: unknown) => void): Stores {
  return {
    gateways: new Store<Gateway>({
      onBug,
      indexes: {
        secret: (of) => secretsOf(of, of.spec.listeners),
        class: (of) => [of.spec.gatewayClassName],
        tenant: tenantOf,
        namespace: namespaceOf,
      },
    }),
    gatewayClasses: new Store({ onBug }),
    listenerSets: new Store<ListenerSet>({ onBug, indexes: setIndexes }),
    xListenerSets: new Store<ListenerSet>({ onBug, indexes: setIndexes }),
    namespaces: new Store({ onBug }),
    certificates: new Store<Certificate>({
      onBug,
      indexes: {
        owner: ownersOf,
        namespace: (of) => [of.metadata.namespace ?? ''],
        host: hostsOf,
        secretName: (of) => [`${of.metadata.namespace}/${of.spec.secretName}`],
        passwordSecret: (of) => passwordSecrets(of.spec).map((name) => `${of.metadata.namespace}/${name}`),
        issuer: (of) => (fullRef(of.spec.issuerRef).group === certManagerGroup ? [wantedIssuerKey(of)] : []),
        parent: parentOf,
        template: (of) => listOf(templateBehind(of.spec.issuerRef)),
      },
    }),
    requests: new Store<CertificateRequest>({
      onBug,
      indexes: { owner: ownersOf, issuer: strayIssuer, key: strayKey, strayNamespace },
    }),
    orders: new Store<Order>({
      onBug,
      indexes: {
        owner: ownersOf,
        host: hostsOf,
        issuer: (of) => [wantedIssuerKey(of)],
        url: ({ status }) => (status?.url === undefined ? [] : [status.url]),
      },
    }),
    challenges: new Store<Challenge>({ onBug, indexes: { owner: ownersOf } }),
    issuers: new Store<Issuer>({
      onBug,
      indexes: {
        secret: issuerSecretsOf,
        template: ({ metadata }) => listOf(templateOf(metadata.name)),
        namespace: namespaceOf,
      },
    }),
    clusterIssuers: new Store<Issuer>({ onBug, indexes: { secret: issuerSecretsOf } }),
    routes: new Store<HttpRoute>({ onBug, indexes: { host: routeHosts, namespace: namespaceOf, tenant: tenantOf } }),
    grants: new Store({ onBug }),
    roleBindings: new Store({ onBug }),
    limits: new Store({ onBug }),
    gatewayInfras: new Store({ onBug }),
    gatewayTenants: new Store<GatewayTenant>({
      onBug,
      indexes: {
        namespace: ({ spec }) => spec.namespaces,
        domain: ({ spec }) => spec.domains.map(domainOf),
        above: ({ spec }) => spec.domains.flatMap(domainsAbove),
      },
    }),
  };
}

const setIndexes = {
  parent: (of: ListenerSet) => [parentKey(of)],
  namespace: (of: ListenerSet) => [of.metadata.namespace ?? ''],
  secret: (of: ListenerSet) => secretsOf(of, of.spec.listeners),
};

function secretsOf(object: KubeObject, listeners: readonly Listener[]): readonly string[] {
  const names = listeners.flatMap((listener) => (listener.tls?.certificateRefs ?? []).map((ref) => ref.name));
  return [...new Set(names)].map((name) => `${object.metadata.namespace}/${name}`);
}

function listOf(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}

function ownersOf(object: KubeObject): readonly string[] {
  return (object.metadata.ownerReferences ?? []).map((owner) => owner.uid);
}

/** The GatewayTenant that it was made for, as its label says. */
function tenantOf({ metadata }: KubeObject): readonly string[] {
  return listOf(metadata.labels?.[labels.tenant]);
}

function namespaceOf({ metadata }: KubeObject): readonly string[] {
  return [metadata.namespace ?? ''];
}

function strayNamespace(request: CertificateRequest): readonly string[] {
  return isStray(request) ? namespaceOf(request) : [];
}

function isStray(request: CertificateRequest): boolean {
  return !(request.metadata.ownerReferences ?? []).some(({ kind }) => kind === 'Certificate');
}

/** The issuer of a request that no Certificate stands behind. */
function strayIssuer(request: CertificateRequest): readonly string[] {
  const isOurs = fullRef(request.spec.issuerRef).group === certManagerGroup;
  return isOurs && isStray(request) ? [wantedIssuerKey(request)] : [];
}

/** "namespace/name" of the Secret that holds such a request's private key. */
function strayKey(request: CertificateRequest): readonly string[] {
  const name = request.metadata.annotations?.[annotations.privateKeySecretName];
  return name !== undefined && isStray(request) ? [`${request.metadata.namespace}/${name}`] : [];
}

/** "namespace/<label of the host>" of each host whose challenges the route carries; addresses are no hostnames, and stand in its labels alone. */
function routeHosts({ metadata, spec }: HttpRoute): readonly string[] {
  const labelled = Object.keys(metadata.labels ?? {}).filter((name) => name.startsWith(labels.hostPrefix));
  const hashes = [
    ...(spec.hostnames ?? []).map(hostLabel),
    ...labelled.map((name) => name.slice(labels.hostPrefix.length)),
  ];
  return [...new Set(hashes)].map((hash) => `${metadata.namespace}/${hash}`);
}

/** The Gateway or ListenerSet through which the Certificate's names are proven. */
function parentOf(certificate: Certificate): readonly string[] {
  const noted = certificate.metadata.annotations ?? {};
  const name = noted[annotations.parentRefName];
  const namespace = noted[annotations.parentRefNamespace] ?? certificate.metadata.namespace;
  return name === undefined ? [] : [`${namespace}/${name}`];
}

/** By the names of its Secrets, and under `*` so that a change of rights in a namespace reaches every issuer that reads one. */
function issuerSecretsOf(issuer: Issuer): readonly string[] {
  const { ca, acme, vault } = issuer.spec;
  const ofSolvers = dnsSecrets(issuer).map(({ name }) => name);
  const binding = acme?.externalAccountBinding?.keySecretRef.name;
  const ofVault = vault === undefined ? [] : vaultSecretNames(vault);
  const names = [ca?.secretName, acme?.privateKeySecretRef.name, binding, ...ofVault, ...ofSolvers].filter(
    (name) => name !== undefined,
  );
  // A Vault issuer may live on a right alone: to request tokens of a ServiceAccount.
  return names.length === 0 && vault === undefined ? [] : [...new Set([...names, '*'])];
}
