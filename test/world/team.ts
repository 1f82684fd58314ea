// A team's namespace for one test: rights granted, a Gateway that lets it attach, and the objects that tests look at.

import { randomBytes } from 'node:crypto';
import type { Certificate, Issuer } from '../../src/api/certmanager.ts';
import type { KubeEvent, Secret } from '../../src/api/core.ts';
import type { Condition, KubeObject } from '../../src/api/meta.ts';
import { certificates, events, issuers, type Resource, secrets } from '../../src/api/resources.ts';
import { grantManifests } from '../../src/cli/grant.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { openClient } from '../rig/demo/client.ts';
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
  /** Events about an object. */
  events(name: string): Promise<readonly KubeEvent[]>;
  /** Objects of a kind, without the cost of a kubectl. */
  all<T extends KubeObject>(resource: Resource<T>): Promise<readonly T[]>;
  secret(name: string): Promise<Secret | undefined>;
  /** Waits for a condition of a Certificate whose message or reason fits. */
  says(certificate: string, type: string, words: RegExp, deadlineMs?: number): Promise<Condition>;
  /** Waits for the Ready condition of an Issuer to have the status and words. */
  issuerSays(name: string, status: 'True' | 'False', words: RegExp, deadlineMs?: number): Promise<Condition>;
  /** Waits for an event about the object whose reason or message fits. */
  told(name: string, words: RegExp, deadlineMs?: number): Promise<KubeEvent>;
  /** Applies what `certway grant` prints for the namespace. */
  grant(): Promise<void>;
}

export interface TeamOptions {
  /** Left out only where the missing right is what the test is about. */
  readonly rights?: 'granted' | 'none';
}

export async function makeTeam(
  cluster: { kubectl: string; kubeconfig: string },
  stem: string,
  { rights = 'granted' }: TeamOptions = {},
): Promise<Team> {
  const namespace = `${stem}-${randomBytes(4).toString('hex')}`;
  const kubectl = kubectlFor(cluster);
  const client = await openClient(cluster.kubeconfig, 2);
  await kubectl.run(['create', 'namespace', namespace]);
  const grant = async () => {
    const serviceAccount = { namespace: 'certway-system', name: 'certway-controller' };
    const manifests = grantManifests([namespace], { serviceAccount });
    if (!manifests.ok) throw new Error(manifests.problem);
    await kubectl.apply(manifests.value);
  };
  if (rights === 'granted') await grant();
  const list = async <T extends KubeObject>(kind: string): Promise<readonly T[]> =>
    (await kubectl.get<{ items: T[] }>(kind, '-n', namespace)).items;
  const all = <T extends KubeObject>(resource: Resource<T>) => client.list(resource, namespace);
  const named = async <T extends KubeObject>(resource: Resource<T>, name: string) =>
    (await all(resource)).find((each) => each.metadata.name === name);
  const certificate = (name: string) => named<Certificate>(certificates, name);
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
    ...words(namespace, all),
    all,
    secret: (name) => named<Secret>(secrets, name),
    grant,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await kubectl.run(['delete', 'namespace', namespace, '--wait=false']);
    },
  };
}

/** What the controller says, waited for. */
function words(
  namespace: string,
  all: <T extends KubeObject>(resource: Resource<T>) => Promise<readonly T[]>,
): Pick<Team, 'events' | 'told' | 'says' | 'issuerSays'> {
  const about = async (name: string) =>
    (await all<KubeEvent>(events)).filter((each) => each.involvedObject.name === name);
  const saying = async (
    what: string,
    deadlineMs: number,
    fits: (condition: Condition) => boolean,
    find: () => Promise<readonly Condition[] | undefined>,
    type: string,
  ) =>
    until(
      what,
      async () => {
        const found = conditionOf(await find(), type);
        if (found !== undefined && fits(found)) return found;
        throw new Error(found === undefined ? 'no condition' : `${found.status} ${found.reason}: ${found.message}`);
      },
      { deadlineMs },
    );
  return {
    events: about,
    told: (name, expected, deadlineMs = 30_000) =>
      until(
        `an event about ${namespace}/${name} that says ${expected}`,
        async () => {
          const said = await about(name);
          const found = said.find((each) => expected.test(`${each.reason}: ${each.message}`));
          if (found !== undefined) return found;
          throw new Error(said.map((each) => `${each.reason}: ${each.message}`).join(' | ') || 'no event');
        },
        { deadlineMs },
      ),
    says: (name, type, expected, deadlineMs = 30_000) =>
      saying(
        `Certificate ${namespace}/${name} to say ${expected} in ${type}`,
        deadlineMs,
        (condition) => expected.test(`${condition.reason}: ${condition.message}`),
        async () =>
          (await all<Certificate>(certificates)).find((each) => each.metadata.name === name)?.status?.conditions,
        type,
      ),
    issuerSays: (name, status, expected, deadlineMs = 30_000) =>
      saying(
        `Issuer ${namespace}/${name} to be Ready=${status} with ${expected}`,
        deadlineMs,
        (condition) => condition.status === status && expected.test(`${condition.reason}: ${condition.message}`),
        async () => (await all<Issuer>(issuers)).find((each) => each.metadata.name === name)?.status?.conditions,
        'Ready',
      ),
  };
}

/** A Gateway with one HTTP listener on port 80 that lets ListenerSets and routes of its own namespace attach. */
export function gateway(
  namespace: string,
  change: {
    name?: string;
    annotations?: Record<string, string>;
    listeners?: readonly object[];
    from?: 'Same' | 'None' | 'All';
  } = {},
): KubeObject {
  const { name = 'parent', annotations = {}, listeners = [], from = 'Same' } = change;
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace, annotations },
    ...{
      spec: {
        gatewayClassName: 'nginx',
        allowedListeners: { namespaces: { from } },
        listeners: [
          { name: 'http', protocol: 'HTTP', port: 80, allowedRoutes: { namespaces: { from: 'Same' } } },
          ...listeners,
        ],
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
  /** Besides the one of `hostname` and `secretName`. */
  readonly others?: readonly object[];
}

/** A Terminate listener for one host and Secret. */
export function httpsListener(name: string, hostname: string | undefined, certificateRef: object): object {
  return {
    name,
    ...(hostname !== undefined && { hostname }),
    protocol: 'HTTPS',
    port: 443,
    tls: { mode: 'Terminate', certificateRefs: [certificateRef] },
  };
}

/** A set with one HTTPS listener, and others where wished. */
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
        listeners: [httpsListener('https', hostname, { name: secretName }), ...(wish.others ?? [])],
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
