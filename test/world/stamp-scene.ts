// A ClusterIssuer that gives tenants accounts of their own, and what tests look at: stamped Issuers, their keys beside the platform's, their accounts at the CA.

import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { type AcmeAccount, findAccount } from '../../src/acme/account.ts';
import { openAcme } from '../../src/acme/transport.ts';
import type { Issuer } from '../../src/api/certmanager.ts';
import type { Secret } from '../../src/api/core.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { issuers } from '../../src/api/resources.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { kubectlFor } from '../rig/kubectl.ts';
import type { SharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import { acmeIssuer, gateway, listenerSet, type Team } from './team.ts';

export const patience = { deadlineMs: 60_000 } as const;
const platform = 'certway-system';

export interface Template extends AsyncDisposable {
  readonly name: string;
  /** Of the Issuers that are stamped from it. */
  readonly stamped: string;
  /** Applies it with other fields in spec.acme. */
  set(acme?: object): Promise<void>;
  give(value: 'true' | 'false' | 'yes'): Promise<void>;
  account(): Promise<string | undefined>;
}

export interface TemplateWish {
  readonly ca?: { readonly directory: string; readonly caPem: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Gone after the test, with the keys of all its accounts. */
export async function makeTemplate(
  world: SharedWorld,
  { ca = world.acme, annotations = {} }: TemplateWish = {},
): Promise<Template> {
  const kubectl = kubectlFor(world);
  const name = `per-${randomBytes(4).toString('hex')}`;
  const read = () => kubectl.get<Issuer>('clusterissuer', name);
  return {
    name,
    stamped: `${name}.tenant-account`,
    set: async (change = {}) => {
      const { metadata: _, ...usual } = acmeIssuer('', ca, name);
      const { acme } = Object(usual).spec;
      const metadata = { name, annotations: { 'certway.dev/account-per-tenant': 'true', ...annotations } };
      await kubectl.apply([{ ...usual, kind: 'ClusterIssuer', metadata, spec: { acme: { ...acme, ...change } } }]);
    },
    give: async (value) =>
      void (await kubectl.run([
        'annotate',
        '--overwrite',
        'clusterissuer',
        name,
        `certway.dev/account-per-tenant=${value}`,
      ])),
    account: async () => (await read()).status?.acme?.uri,
    [Symbol.asyncDispose]: async () => {
      await kubectl.run(['delete', 'clusterissuer', name, '--ignore-not-found']);
      await kubectl.run(['delete', 'secret', '-n', platform, `${name}-account`, '--ignore-not-found']);
      await kubectl.run(['delete', 'secret', '-n', platform, '-l', `certway.dev/stamped-from=${name}`]);
    },
  };
}

export async function issuerNamed(team: Team, name: string): Promise<Issuer | undefined> {
  return (await team.all<Issuer>(issuers)).find((each) => each.metadata.name === name);
}

/** Waits until the Issuer has an account, and answers it. */
export function registered(team: Team, name: string): Promise<Issuer & { readonly uri: string }> {
  return until(
    `Issuer ${team.namespace}/${name} to have an account`,
    async () => {
      const issuer = await issuerNamed(team, name);
      const ready = conditionOf(issuer?.status?.conditions, 'Ready');
      const uri = issuer?.status?.acme?.uri;
      if (issuer !== undefined && ready?.status === 'True' && uri !== undefined) return { ...issuer, uri };
      throw new Error(ready?.message ?? (issuer === undefined ? 'no Issuer' : 'no condition'));
    },
    patience,
  );
}

/** A Secret beside the platform's. */
export async function platformSecret(team: Team, name: string): Promise<Secret | undefined> {
  const listed = await team.kubectl.get<{ items: Secret[] }>('secrets', '-n', platform);
  return listed.items.find(({ metadata }) => metadata.name === name);
}

/** The account that the CA knows by the key in a Secret beside the platform's. */
export async function accountByKey(
  team: Team,
  world: SharedWorld,
  secretName: string,
): Promise<AcmeAccount | undefined> {
  const secret = await platformSecret(team, secretName);
  const key = createPrivateKey(Buffer.from(secret?.data?.['tls.key'] ?? '', 'base64'));
  const options = { directoryUrl: world.acme.directory, caBundle: world.acme.caPem, skipTlsVerify: false };
  await using endpoint = openAcme({ ...options, userAgent: 'certway-test', maxInFlight: 2 });
  const found = await findAccount({ endpoint, key });
  if (!found.ok) throw new Error(found.problem.detail);
  return found.value;
}

/** A Gateway, and a ListenerSet on it whose listener takes a certificate from the ClusterIssuer. */
export function listening(team: Team, issuer: string, name = 'web'): readonly KubeObject[] {
  const annotations = {
    'cert-manager.io/cluster-issuer': issuer,
    'cert-manager.io/private-key-algorithm': 'ECDSA',
  };
  const hostname = `${name}.${team.namespace}.example.com`;
  return [gateway(team.namespace), listenerSet(team.namespace, { name, hostname, annotations })];
}

/** What the Secret says of who has signed, and which certificate it is. */
export async function signedBy(team: Team, name: string) {
  const secret = await team.secret(name);
  const noted = secret?.metadata.annotations ?? {};
  const pem = Buffer.from(secret?.data?.['tls.crt'] ?? '', 'base64').toString('utf8');
  return {
    issuer: `${noted['cert-manager.io/issuer-kind']}/${noted['cert-manager.io/issuer-name']}`,
    serial: pem === '' ? '' : new X509Certificate(pem).serialNumber,
  };
}
