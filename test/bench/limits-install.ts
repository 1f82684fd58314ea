// A cluster whose controller asks a CA that keeps limits: everything that a platform owner has done before the first tenant comes. Two of them may share
// one account without knowing of each other. Started by the benchmark of limits and by test/worlds/gcra.test.ts.

import type { Issuer } from '../../src/api/certmanager.ts';
import { clusterIssuers } from '../../src/api/resources.ts';
import { grantManifests } from '../../src/cli/grant.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { type Client, openClient } from '../rig/demo/client.ts';
import { readExample } from '../rig/demo/example.ts';
import { kubectlFor } from '../rig/kubectl.ts';
import type { Rates } from '../rig/proxy/gcra.ts';
import { until } from '../rig/wait.ts';
import type { World } from '../rig/world.ts';
import { accountSecret, type LimitsSize, standingOf, withLimits } from './limits-objects.ts';

export interface Install extends AsyncDisposable {
  readonly controller: Controller;
  readonly client: Client;
}

export interface InstallOptions {
  readonly ca: { readonly directory: string; readonly caPem: string };
  /** What the controller is told of them. */
  readonly rates: Rates;
  readonly flags?: readonly string[];
  /** PEM of the account's key, where it has one already. */
  readonly accountKey?: string;
  /** Where the CA finds the challenge responder, and which DNS it asks; the world's own otherwise. */
  readonly at?: { readonly host: string; readonly world: World };
}

const clients = 8;

/** Resolves when the issuer is ready. */
export async function install(world: World, size: LimitsSize, options: InstallOptions): Promise<Install> {
  const { ca, rates, flags = [], accountKey, at } = options;
  const away = at === undefined ? [] : [`--acme-http01-listen-address=${at.host}:${at.world.acme.httpPort}`];
  const { acme, dns } = at?.world ?? world;
  const controller = await startController({ ...world, acme, dns }, { flags: [...away, ...flags] });
  const client = await openClient(world.kubeconfig, clients);
  const kubectl = kubectlFor(world);
  if (accountKey !== undefined) await kubectl.apply([keySecret(accountKey)]);
  const issuers = (await readExample(ca)).filter(isAcme).map((issuer) => withLimits(issuer, rates));
  const stand = standingOf(size);
  await kubectl.apply([...stand, ...issuers]);
  const namespaces = stand.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name);
  const granted = grantManifests([...namespaces, accountSecret.namespace], {
    serviceAccount: { namespace: 'certway-system', name: 'certway-controller' },
  });
  if (!granted.ok) throw new Error(granted.problem);
  await kubectl.apply(granted.value);
  await until(
    'the ClusterIssuer to be ready',
    async () => {
      const conditions = (await client.list(clusterIssuers)).map(({ status }) =>
        conditionOf(status?.conditions, 'Ready'),
      );
      if (conditions.every((ready) => ready?.status === 'True')) return true;
      throw new Error(conditions.map((ready) => ready?.message).join(' '));
    },
    { deadlineMs: 60_000 },
  );
  return {
    controller,
    client,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await controller[Symbol.asyncDispose]();
    },
  };
}

function isAcme(object: object): object is Issuer {
  return (object as Partial<Issuer>).spec?.acme !== undefined;
}

function keySecret(pem: string): object {
  const data = { 'tls.key': Buffer.from(pem).toString('base64') };
  return { apiVersion: 'v1', kind: 'Secret', metadata: accountSecret, data };
}
