// A CA that gives little, a ClusterIssuer that says how much, and teams that want more: for tests that kill what stands in line.

import type { ConfigMap } from '../../src/api/core.ts';
import { annotations } from '../../src/api/names.ts';
import { certificates, configMaps } from '../../src/api/resources.ts';
import { conditionOf } from '../../src/plan/conditions.ts';
import { withLimits } from '../bench/limits-objects.ts';
import { openClient } from '../rig/demo/client.ts';
import { kubectlFor } from '../rig/kubectl.ts';
import type { Rates } from '../rig/proxy/gcra.ts';
import { type LimitedCa, startLimitedCa } from '../rig/proxy/gcra-proxy.ts';
import { until } from '../rig/wait.ts';
import type { World } from '../rig/world.ts';
import { acmeIssuer, gateway, listenerSet, makeTeam, type Team } from '../world/team.ts';

/** A lease that is over soon after a death, and that a busy machine does not lose. */
export const leaseFlags = [
  '--leader-election-lease-duration=6s',
  '--leader-election-renew-deadline=5s',
  '--leader-election-retry-period=300ms',
];

/** Twenty at once, then four a second: of sixty orders most wait. Nothing else binds. */
export const fewOrders: Rates = {
  'new-orders-per-account': { burst: 20, everyMs: 250 },
  'new-certificates-per-registered-domain': { burst: 1_000, everyMs: 10 },
  'new-certificates-per-exact-set-of-identifiers': { burst: 1_000, everyMs: 10 },
  'authorization-failures-per-identifier-per-account': { burst: 1_000, everyMs: 10 },
};

export interface Crowd extends AsyncDisposable {
  readonly name: string;
  readonly ca: LimitedCa;
  readonly teams: readonly Team[];
  /** `perTeam` certificates of each team, called `<stem>-<number>`. */
  want(stem: string, perTeam: number): Promise<void>;
  ready(): Promise<number>;
  allReady(deadlineMs: number): Promise<void>;
  /** What is written down of the account. */
  books(): Promise<ConfigMap | undefined>;
  dropBooks(): Promise<void>;
}

/** Resolves when the issuer is ready: a controller must run. */
export async function crowd(world: World, name: string, rates: Rates, size: number): Promise<Crowd> {
  const ca = await startLimitedCa(world.acme, rates);
  const teams = await Promise.all(Array.from({ length: size }, () => makeTeam(world, name)));
  const kubectl = kubectlFor(world);
  const client = await openClient(world.kubeconfig, 4);
  const { metadata, ...rest } = withLimits(acmeIssuer('', ca, name) as Parameters<typeof withLimits>[0], rates);
  const { namespace: _, ...own } = metadata;
  await kubectl.apply([{ ...rest, kind: 'ClusterIssuer', metadata: own }]);
  await Promise.all(teams.map(({ namespace, kubectl: by }) => by.apply([gateway(namespace)])));
  const account = await until(
    'the ClusterIssuer to have an account',
    async () => {
      const found = await kubectl.get<{ status?: { acme?: { uri?: string } } }>('clusterissuer', name);
      return found.status?.acme?.uri;
    },
    { deadlineMs: 60_000 },
  );
  const all = async () => (await Promise.all(teams.map((team) => team.all(certificates)))).flat();
  const ready = async () =>
    (await all()).filter(({ status }) => conditionOf(status?.conditions, 'Ready')?.status === 'True').length;
  let wanted = 0;
  const books = async () =>
    (await client.list(configMaps, 'certway-system')).find(
      ({ metadata: { annotations: noted = {} } }) => noted[annotations.account] === account,
    );
  return {
    name,
    ca,
    teams,
    ready,
    books,
    want: async (stem, perTeam) => {
      wanted += perTeam * teams.length;
      const marks = { 'cert-manager.io/cluster-issuer': name, 'cert-manager.io/private-key-algorithm': 'ECDSA' };
      await Promise.all(
        teams.map((team) =>
          team.kubectl.apply(
            Array.from({ length: perTeam }, (__, index) => {
              const set = `${stem}-${index}`;
              const hostname = `${set}.${team.namespace}.example.com`;
              return listenerSet(team.namespace, { name: set, hostname, annotations: marks });
            }),
          ),
        ),
      );
    },
    allReady: async (deadlineMs) => {
      await until(
        `${wanted} certificates`,
        async () => {
          const count = await ready();
          if (count === wanted) return true;
          throw new Error(`${count} are ready`);
        },
        { deadlineMs },
      );
    },
    dropBooks: async () => {
      const found = await books();
      if (found !== undefined) await kubectl.run(['delete', 'configmap', found.metadata.name, '-n', 'certway-system']);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(teams.map((team) => team[Symbol.asyncDispose]()));
      await kubectl.run(['delete', 'clusterissuer', name]);
      await client[Symbol.asyncDispose]();
      await ca[Symbol.asyncDispose]();
    },
  };
}
