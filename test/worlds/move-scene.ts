// What stands in a namespace that moves: Certificates of every kind that cert-manager's own loops can issue in a world without Pods, by a
// self-signed root, a CA and an ACME server that believes everything. Used by move.test.ts and by whoever records its fixtures.

import type { CertificateSpec } from '../../src/api/certmanager.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { gateway, httpsListener, listenerSet } from '../world/team.ts';

type Spec = Omit<CertificateSpec, 'secretName' | 'issuerRef'> & {
  readonly issuerRef?: CertificateSpec['issuerRef'];
  readonly otherNames?: readonly object[];
};

/** A century: what is recorded must not be due for renewal one day. */
const duration = '876000h';
const ecdsa = { algorithm: 'ECDSA', size: 256 } as const;
const password = { passwordSecretRef: { name: 'keystore-password', key: 'password' }, create: true };

/** By name; the Secret is `<name>-tls`, the issuer `ca` unless told. */
const specs: Readonly<Record<string, Spec>> = {
  plain: { dnsNames: ['plain.example.com'] },
  rsa: {
    commonName: 'rsa.example.com',
    dnsNames: ['rsa.example.com', 'www.rsa.example.com', '*.rsa.example.com'],
    privateKey: { algorithm: 'RSA', encoding: 'PKCS1', size: 3072, rotationPolicy: 'Never' },
    renewBefore: '360h',
  },
  ecdsa: {
    // In an order of their own: what is written on the Secret follows the certificate.
    dnsNames: ['z.ecdsa.example.com', 'a.ecdsa.example.com'],
    ipAddresses: ['192.0.2.7', '2001:db8::7'],
    uris: ['spiffe://cluster.local/ns/a/sa/b'],
    emailAddresses: ['ops@example.com', 'dev@example.com'],
    privateKey: { algorithm: 'ECDSA', encoding: 'PKCS8', size: 384 },
    usages: ['digital signature', 'client auth', 'server auth'],
  },
  ed25519: { dnsNames: ['ed.example.com'], privateKey: { algorithm: 'Ed25519', encoding: 'PKCS8' } },
  subject: {
    commonName: 'subject.example.com',
    dnsNames: ['subject.example.com'],
    subject: {
      organizations: ['Example, Inc.'],
      organizationalUnits: ['Ops'],
      countries: ['DE'],
      provinces: ['Berlin'],
      localities: ['Mitte'],
      streetAddresses: ['Street 1'],
      postalCodes: ['10115'],
      serialNumber: '42',
    },
    privateKey: ecdsa,
    secretTemplate: {
      labels: { 'example.com/team': 'a' },
      annotations: { 'example.com/reflect': 'true', 'example.com/note': 'kept' },
    },
    revisionHistoryLimit: 3,
  },
  manifold: {
    // Several values of one part of the name share one place in it (RFC 5280 §4.1.2.4), in an order of DER's own.
    subject: { organizations: ['Example', 'Other', 'Another one'], organizationalUnits: ['Ops', 'Dev'] },
    dnsNames: ['manifold.example.com'],
    privateKey: ecdsa,
  },
  formats: {
    dnsNames: ['formats.example.com'],
    privateKey: ecdsa,
    additionalOutputFormats: [{ type: 'CombinedPEM' }, { type: 'DER' }],
  },
  keystores: {
    dnsNames: ['keystores.example.com'],
    keystores: { jks: password, pkcs12: { ...password, profile: 'Modern2023' } },
  },
  literal: {
    literalSubject: 'CN=literal.example.com,OU=Ops,O=Example,C=DE',
    dnsNames: ['literal.example.com'],
    privateKey: ecdsa,
  },
  othernames: {
    dnsNames: ['other.example.com'],
    otherNames: [{ oid: '1.3.6.1.4.1.311.20.2.3', utf8Value: 'user@example.com' }],
    privateKey: ecdsa,
  },
  client: {
    commonName: 'client',
    usages: ['client auth'],
    privateKey: ecdsa,
    renewBeforePercentage: 20,
  },
  intermediate: {
    commonName: 'Intermediate',
    isCA: true,
    usages: ['cert sign', 'crl sign'],
    privateKey: ecdsa,
    nameConstraints: { critical: true, permitted: { dnsDomains: ['example.com'] } },
  },
  self: { dnsNames: ['self.example.com'], privateKey: ecdsa, issuerRef: { name: 'selfsigned', kind: 'Issuer' } },
  cluster: {
    dnsNames: ['cluster.example.com'],
    privateKey: ecdsa,
    issuerRef: { name: 'move', kind: 'ClusterIssuer', group: 'cert-manager.io' },
  },
  acme: {
    dnsNames: ['acme.example.com', 'www.acme.example.com'],
    privateKey: ecdsa,
    issuerRef: { name: 'acme', kind: 'Issuer' },
  },
};

/** Names of the Certificates that people made, and of those that listeners have. */
export const names = {
  byHand: Object.keys(specs),
  byListeners: ['listener', 'set'],
} as const;

export const allNames: readonly string[] = [
  'ca-root',
  ...names.byHand.map((name) => `${name}-tls`),
  ...names.byListeners,
];

function object(kind: string, namespace: string, name: string, spec: object): KubeObject {
  return { apiVersion: 'cert-manager.io/v1', kind, metadata: { name, namespace }, ...{ spec } };
}

/** Where cert-manager keeps the Secrets of its ClusterIssuers, and goes on keeping them. */
export const clusterResources = 'cert-manager';

/** A ClusterIssuer whose CA stands there. */
export function clusterScene(): readonly KubeObject[] {
  const selfsigned = { apiVersion: 'cert-manager.io/v1', kind: 'ClusterIssuer', metadata: { name: 'move-selfsigned' } };
  const move = { apiVersion: 'cert-manager.io/v1', kind: 'ClusterIssuer', metadata: { name: 'move' } };
  const root = { secretName: 'move-root', duration, isCA: true, commonName: 'Cluster root', privateKey: ecdsa };
  return [
    { ...selfsigned, ...{ spec: { selfSigned: {} } } },
    object('Certificate', clusterResources, 'move-root', {
      ...root,
      usages: ['cert sign', 'crl sign'],
      issuerRef: { name: 'move-selfsigned', kind: 'ClusterIssuer', group: 'cert-manager.io' },
    }),
    { ...move, ...{ spec: { ca: { secretName: 'move-root' } } } },
  ];
}

/** Issuers, Certificates, and a Gateway with a ListenerSet that ask for theirs by annotation. */
export function scene(namespace: string, acme: { directory: string; caPem: string }): readonly KubeObject[] {
  const root = {
    secretName: 'ca-root',
    duration,
    isCA: true,
    commonName: 'Test root',
    issuerRef: { name: 'selfsigned', kind: 'Issuer' },
  };
  const asked = {
    'cert-manager.io/issuer': 'ca',
    'cert-manager.io/private-key-algorithm': 'ECDSA',
    'cert-manager.io/duration': duration,
  };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keystore-password', namespace },
    stringData: { password: 'changeit' },
  };
  return [
    secret,
    object('Issuer', namespace, 'selfsigned', { selfSigned: {} }),
    object('Certificate', namespace, 'ca-root', { ...root, usages: ['cert sign', 'crl sign'], privateKey: ecdsa }),
    object('Issuer', namespace, 'ca', { ca: { secretName: 'ca-root' } }),
    object('Issuer', namespace, 'acme', { acme: acmeSpec(acme) }),
    ...Object.entries(specs).map(([name, { issuerRef = { name: 'ca', kind: 'Issuer' }, ...spec }]) =>
      object('Certificate', namespace, `${name}-tls`, { duration, ...spec, secretName: `${name}-tls`, issuerRef }),
    ),
    gateway(namespace, {
      annotations: asked,
      listeners: [
        {
          name: 'https',
          hostname: 'listener.example.com',
          protocol: 'HTTPS',
          port: 443,
          tls: { mode: 'Terminate', certificateRefs: [{ name: 'listener' }] },
        },
      ],
    }),
    listenerSet(namespace, { name: 'set', hostname: 'set.example.com', secretName: 'set', annotations: asked }),
  ];
}

/** One host on two listeners: cert-manager 1.21 asks for the name twice, Certway once, and neither takes the other's word for it. */
export function contested(namespace: string): readonly KubeObject[] {
  const annotations = { 'cert-manager.io/issuer': 'ca', 'cert-manager.io/private-key-algorithm': 'ECDSA' };
  const hostname = 'contested.example.com';
  const other = { ...httpsListener('again', hostname, { name: 'contested' }), port: 8443 };
  return [
    listenerSet(namespace, { name: 'contested', hostname, secretName: 'contested', annotations, others: [other] }),
  ];
}

/** No Pod ever answers its challenges, so it asks the CA at once, which believes. */
function acmeSpec({ directory, caPem }: { readonly directory: string; readonly caPem: string }): object {
  const parentRefs = [{ name: 'parent', kind: 'Gateway', group: 'gateway.networking.k8s.io' }];
  return {
    server: directory,
    caBundle: Buffer.from(caPem).toString('base64'),
    email: 'team@example.com',
    privateKeySecretRef: { name: 'acme-account' },
    solvers: [{ http01: { gatewayHTTPRoute: { parentRefs } }, waitInsteadOfSelfCheck: '0s' }],
  };
}
