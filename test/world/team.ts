// A team's namespace for one test: rights granted, a Gateway that lets it attach, and the objects that tests look at.

import { randomBytes } from 'node:crypto';
import type { Certificate } from '../../src/api/certmanager.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { grantManifests } from '../../src/cli/grant.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { type Kubectl, kubectlFor } from '../rig/kubectl.ts';
import { until } from '../rig/wait.ts';

export interface Team extends AsyncDisposable {
  readonly namespace: string;
  readonly kubectl: Kubectl;
  /** Objects of a kind in the namespace. */
  list<T extends KubeObject>(kind: string): Promise<readonly T[]>;
  certificate(name: string): Promise<Certificate | undefined>;
  /** Waits until the Certificate is Ready, and answers it. */
  ready(name: string, deadlineMs?: number): Promise<Certificate>;
  /** Messages of events about an object, by reason. */
  events(name: string): Promise<readonly { readonly reason: string; readonly message: string }[]>;
}

export async function makeTeam(cluster: { kubectl: string; kubeconfig: string }, stem: string): Promise<Team> {
  const namespace = `${stem}-${randomBytes(4).toString('hex')}`;
  const kubectl = kubectlFor(cluster);
  await kubectl.run(['create', 'namespace', namespace]);
  const serviceAccount = { namespace: 'certway-system', name: 'certway-controller' };
  const grant = grantManifests([namespace], { serviceAccount });
  if (!grant.ok) throw new Error(grant.problem);
  await kubectl.apply(grant.value);
  const list = async <T extends KubeObject>(kind: string): Promise<readonly T[]> =>
    (await kubectl.get<{ items: T[] }>(kind, '-n', namespace)).items;
  const certificate = async (name: string) =>
    (await list<Certificate>('certificates.cert-manager.io')).find((each) => each.metadata.name === name);
  return {
    namespace,
    kubectl,
    list,
    certificate,
    ready: (name, deadlineMs = 30_000) =>
      until(
        `Certificate ${namespace}/${name} to be Ready`,
        async () => {
          const found = await certificate(name);
          const ready = conditionOf(found?.status?.conditions, 'Ready');
          if (ready?.status === 'True') return found;
          throw new Error(ready?.message ?? (found === undefined ? 'no Certificate' : 'no condition'));
        },
        { deadlineMs },
      ),
    events: async (name) => {
      const all = await list<KubeObject & { involvedObject: { name: string }; reason: string; message: string }>(
        'events',
      );
      return all.filter((each) => each.involvedObject.name === name);
    },
    [Symbol.asyncDispose]: async () => {
      await kubectl.run(['delete', 'namespace', namespace, '--wait=false']);
    },
  };
}

/** A Gateway with one HTTP listener on port 80 that lets ListenerSets and routes of its own namespace attach. */
export function gateway(
  namespace: string,
  change: { name?: string; annotations?: Record<string, string> } = {},
): KubeObject {
  const { name = 'parent', annotations = {} } = change;
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace, annotations },
    ...{
      spec: {
        gatewayClassName: 'nginx',
        allowedListeners: { namespaces: { from: 'Same' } },
        listeners: [{ name: 'http', protocol: 'HTTP', port: 80, allowedRoutes: { namespaces: { from: 'Same' } } }],
      },
    },
  };
}

export interface SetWish {
  readonly kind?: 'ListenerSet' | 'XListenerSet';
  readonly name: string;
  readonly hostname?: string;
  readonly secretName?: string;
  readonly parent?: { readonly name: string; readonly namespace?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A set with one HTTPS listener. */
export function listenerSet(namespace: string, wish: SetWish): KubeObject {
  const { kind = 'ListenerSet', name, hostname, secretName = `${name}-tls`, parent = { name: 'parent' } } = wish;
  const group = kind === 'ListenerSet' ? 'gateway.networking.k8s.io/v1' : 'gateway.networking.x-k8s.io/v1alpha1';
  return {
    apiVersion: group,
    kind,
    metadata: { name, namespace, annotations: wish.annotations ?? {} },
    ...{
      spec: {
        parentRef: parent,
        listeners: [
          {
            name: 'https',
            ...(hostname !== undefined && { hostname }),
            protocol: 'HTTPS',
            port: 443,
            tls: { mode: 'Terminate', certificateRefs: [{ name: secretName }] },
          },
        ],
      },
    },
  };
}

/** An ACME issuer of the namespace for a directory behind a private CA. */
export function acmeIssuer(namespace: string, acme: { directory: string; caPem: string }, name = 'acme'): KubeObject {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Issuer',
    metadata: { name, namespace },
    ...{
      spec: {
        acme: {
          server: acme.directory,
          caBundle: Buffer.from(acme.caPem).toString('base64'),
          email: 'team@example.com',
          privateKeySecretRef: { name: `${name}-account` },
          solvers: [{ http01: { gatewayHTTPRoute: {} } }],
        },
      },
    },
  };
}

/** A self-signed root in the namespace, and the CA issuer that signs with it. */
export function caIssuer(namespace: string, name = 'ca'): readonly KubeObject[] {
  const of = (kind: string, named: string, spec: object): KubeObject => ({
    apiVersion: 'cert-manager.io/v1',
    kind,
    metadata: { name: named, namespace },
    ...{ spec },
  });
  const root = { secretName: `${name}-root`, isCA: true, commonName: 'Test root', issuerRef: { name: 'selfsigned' } };
  const usages = ['cert sign', 'crl sign'];
  const privateKey = { algorithm: 'ECDSA', size: 256 };
  return [
    of('Issuer', 'selfsigned', { selfSigned: {} }),
    of('Certificate', `${name}-root`, { ...root, usages, privateKey }),
    of('Issuer', name, { ca: { secretName: `${name}-root` } }),
  ];
}
