// What the tests of listeners share: namespaces with a ClusterIssuer that signs at once, edits as a person makes them, and waiting until
// the Certificates are what the listeners ask for.

import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { Certificate } from '../../src/api/certmanager.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { certificateRequests, certificates } from '../../src/api/resources.ts';
import { kubectlFor } from '../rig/kubectl.ts';
import { until } from '../rig/wait.ts';
import { type SetWish, type Team, listenerSet as teamListenerSet } from './team.ts';

export const kinds = ['ListenerSet', 'XListenerSet'] as const;
export type SetKind = (typeof kinds)[number];

/** As kubectl needs them where two groups share a short name. */
export const resourceOf = {
  ListenerSet: 'listenersets.gateway.networking.k8s.io',
  XListenerSet: 'xlistenersets.gateway.networking.x-k8s.io',
  Gateway: 'gateways.gateway.networking.k8s.io',
  Certificate: 'certificates.cert-manager.io',
} as const;

export type Annotations = Readonly<Record<string, string | null>>;
type Body = Readonly<Record<string, unknown>>;

/** A key that is made in no time. */
export const fast = { 'cert-manager.io/private-key-algorithm': 'ECDSA' } as const;

export const eventually = { deadlineMs: 45_000 } as const;

/** A ClusterIssuer that signs everything by itself. */
export function selfSigning(name: string): KubeObject {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name },
    ...{ spec: { selfSigned: {} } },
  };
}

/** Annotations of an object whose listeners get fast certificates from a ClusterIssuer. */
export function clusterIssued(issuer: string, more: Readonly<Record<string, string>> = {}) {
  return { 'cert-manager.io/cluster-issuer': issuer, ...fast, ...more };
}

export function listenerSet(
  namespace: string,
  wish: SetWish & { readonly labels?: Readonly<Record<string, string>> },
): KubeObject {
  const set = teamListenerSet(namespace, wish);
  return wish.labels === undefined ? set : { ...set, metadata: { ...set.metadata, labels: wish.labels } };
}

/** Many objects in as few requests as there are objects; what is left out of one goes. */
export async function put(team: Team, objects: readonly KubeObject[]): Promise<void> {
  await team.kubectl.apply(objects, '--server-side', '--force-conflicts', '--validate=false');
}

/** A merge patch, as `kubectl patch` sends it; `status` goes to the subresource, as data planes write it. */
export async function edit(
  team: Team,
  object: { readonly kind: keyof typeof resourceOf; readonly name: string },
  body: Body,
  part: 'object' | 'status' = 'object',
): Promise<void> {
  const { kind, name } = object;
  const flags = part === 'status' ? ['--subresource=status'] : [];
  const patch = ['--type=merge', '-p', JSON.stringify(body), '-n', team.namespace];
  await team.kubectl.run(['patch', resourceOf[kind], name, ...patch, ...flags]);
}

/** Sets annotations, and removes those that are null. */
export function annotate(team: Team, object: Parameters<typeof edit>[1], annotations: Annotations): Promise<void> {
  return edit(team, object, { metadata: { annotations } });
}

export async function remove(team: Team, kind: string, ...names: readonly string[]): Promise<void> {
  await team.kubectl.run(['delete', kind, ...names, '-n', team.namespace]);
}

/** Waits until the Certificate fits, and answers it. */
export function wanted(team: Team, name: string, expected: Body, patience = eventually): Promise<Certificate> {
  return until(
    `Certificate ${team.namespace}/${name} to be as asked for`,
    async () => {
      const found = await team.certificate(name);
      expect(found).toMatchObject(expected);
      return found;
    },
    patience,
  );
}

/** Waits until there is no such Certificate. */
export async function gone(team: Team, name: string): Promise<void> {
  await until(
    `Certificate ${team.namespace}/${name} to go`,
    async () => (await team.certificate(name)) === undefined,
    eventually,
  );
}

/** Waits until the Certificate says that it is suspended, in its annotation and in its condition. */
export async function suspendedBecause(team: Team, name: string, words: RegExp): Promise<void> {
  await wanted(team, name, { metadata: { annotations: { 'certway.dev/suspended': expect.stringMatching(words) } } });
  const condition = await team.says(name, 'Issuing', words, eventually.deadlineMs);
  expect(condition).toMatchObject({ status: 'False', reason: 'Suspended' });
}

/** Names of the Certificates of the namespace, in order. */
export async function certificateNames(team: Team): Promise<readonly string[]> {
  return (await team.all(certificates)).map(({ metadata }) => metadata.name).toSorted();
}

/** What tells an issuance from none: the requests there are, by uid. */
export async function requestUids(team: Team, certificate: string): Promise<readonly (string | undefined)[]> {
  const all = await team.all(certificateRequests);
  const of = all.filter((each) => each.metadata.annotations?.['cert-manager.io/certificate-name'] === certificate);
  return of.map(({ metadata }) => metadata.uid).toSorted();
}

export async function issuedAnew(team: Team, name: string, before: string | undefined): Promise<void> {
  await until(
    `Secret ${team.namespace}/${name} to be made again`,
    async () => {
      const uid = (await team.secret(name))?.metadata.uid;
      return uid !== undefined && uid !== before;
    },
    eventually,
  );
}

/** A ClusterIssuer of the test's own, gone with the test; resolves when it is ready. */
export async function openIssuer(cluster: {
  readonly kubectl: string;
  readonly kubeconfig: string;
}): Promise<{ readonly name: string } & AsyncDisposable> {
  const kubectl = kubectlFor(cluster);
  const name = `self-${randomBytes(4).toString('hex')}`;
  await kubectl.apply([selfSigning(name)]);
  return {
    name,
    [Symbol.asyncDispose]: async () => void (await kubectl.run(['delete', 'clusterissuer', name])),
  };
}

/** A Gateway of any class with the given listeners besides the HTTP one on port 80, open to whom `allowed` says; unset is nobody. */
export function door(
  namespace: string,
  name: string,
  more: {
    readonly allowed?: Body;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly listeners?: readonly object[];
    readonly className?: string;
  } = {},
): KubeObject {
  const { allowed, annotations = {}, listeners = [], className = 'any' } = more;
  const http = { name: 'http', protocol: 'HTTP', port: 80 };
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace, annotations },
    ...{
      spec: {
        gatewayClassName: className,
        listeners: [http, ...listeners],
        ...(allowed !== undefined && { allowedListeners: { namespaces: allowed } }),
      },
    },
  };
}

/** A set with exactly these listeners. */
export function setOf(
  namespace: string,
  wish: Omit<Parameters<typeof listenerSet>[1], 'hostname' | 'secretName' | 'others'>,
  listeners: readonly object[],
): KubeObject {
  return { ...listenerSet(namespace, wish), ...{ spec: { parentRef: wish.parent ?? { name: 'parent' }, listeners } } };
}
