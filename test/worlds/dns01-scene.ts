// A world with DNS-01: BIND as primary and as secondary behind the world's DNS, a controller that looks names up there, and the objects that tests
// ask for certificates with. Used by the dns01 tests of this folder.

import type { AcmeSolver } from '../../src/api/certmanager.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import type { Order } from '../../src/api/order.ts';
import { orders } from '../../src/api/resources.ts';
import { type Controller, startController } from '../rig/controller.ts';
import { type Bind, type BindKey, startBind } from '../rig/dns-bind.ts';
import { until } from '../rig/wait.ts';
import { startWorld, type World } from '../rig/world.ts';
import { acmeIssuer, type Team } from '../world/team.ts';

export interface Scene extends AsyncDisposable {
  readonly world: World;
  readonly bind: Bind;
  /** An HMAC-SHA256 key that may change example.test and proofs.test. */
  readonly key: BindKey;
  /** A controller that leads within a second or two, also after another one was killed. */
  start(flags?: readonly string[]): Promise<Controller>;
}

/** Authorizations are never reused, so that each certificate needs its records. */
export async function startScene(): Promise<Scene> {
  const world = await startWorld({ pebbleEnv: { PEBBLE_AUTHZREUSE: '0', PEBBLE_WFE_NONCEREJECT: '0' } });
  const bind = await startBind();
  for (const zone of ['example.test', 'proofs.test', 'guarded.test']) world.dns.set(zone, { forward: bind.primary });
  const key = bind.keys.find(({ algorithm }) => algorithm === 'hmac-sha256') ?? bind.powerless;
  const flags = [
    `--dns01-recursive-nameservers=${world.dns.address}`,
    `--dns01-authority-port=${bind.authorityPort}`,
    '--leader-election-lease-duration=1500ms',
    '--leader-election-renew-deadline=1s',
    '--leader-election-retry-period=200ms',
  ];
  return {
    world,
    bind,
    key,
    start: (more = []) => startController(world, { flags: [...flags, ...more] }),
    [Symbol.asyncDispose]: async () => {
      await bind[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

/** A NOTIFY after each change, as a primary sends it; until disposed the secondary keeps up. */
export function keepUp(bind: Bind, zone = 'example.test'): AsyncDisposable {
  const ending = new AbortController();
  const transfers = until(
    'the test to end',
    async () => {
      await bind.catchUp(zone);
      return false;
    },
    { deadlineMs: 600_000, signal: ending.signal },
  );
  const over = transfers.then(
    () => undefined,
    () => undefined,
  );
  return {
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await over;
    },
  };
}

/** A DNS-01 solver for BIND's primary, with the key in the Secret `tsig`. */
export function rfc2136({ bind, key }: Pick<Scene, 'bind' | 'key'>, change: object = {}): AcmeSolver {
  return {
    dns01: {
      rfc2136: {
        nameserver: bind.primary,
        tsigKeyName: key.name,
        tsigAlgorithm: key.algorithm.replace('-', '').toUpperCase(),
        tsigSecretSecretRef: { name: 'tsig', key: 'secret' },
      },
      ...change,
    },
  };
}

export function tsigSecret(namespace: string, secret: string, name = 'tsig'): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    ...{ type: 'Opaque', stringData: { secret } },
  };
}

export function issuerWith(
  namespace: string,
  acme: Pick<World['acme'], 'directory' | 'caPem'>,
  name: string,
  solvers: readonly AcmeSolver[],
): KubeObject {
  const issuer = acmeIssuer(namespace, acme, name);
  const { spec } = Object(issuer);
  return { ...issuer, ...{ spec: { acme: { ...spec.acme, solvers } } } };
}

/** The same for the whole cluster; its Secrets stand in certway-system. */
export function clusterIssuerWith(acme: World['acme'], name: string, solvers: readonly AcmeSolver[]): KubeObject {
  const { metadata: _, ...issuer } = issuerWith('', acme, name, solvers);
  return { ...issuer, kind: 'ClusterIssuer', metadata: { name } };
}

export interface CertificateWish {
  readonly name: string;
  readonly dnsNames: readonly string[];
  readonly issuer?: string;
  readonly kind?: 'Issuer' | 'ClusterIssuer';
  readonly annotations?: Readonly<Record<string, string>>;
}

export function certificateFor(namespace: string, wish: CertificateWish): KubeObject {
  const { name, dnsNames, issuer = 'dns', kind = 'Issuer', annotations = {} } = wish;
  const spec = {
    secretName: `${name}-tls`,
    dnsNames,
    issuerRef: { name: issuer, kind },
    privateKey: { algorithm: 'ECDSA' },
  };
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name, namespace, annotations },
    ...{ spec },
  };
}

/** The one Order of a Certificate. */
export async function orderOf(team: Team, name: string): Promise<Order | undefined> {
  return (await team.all(orders)).find(({ metadata }) => metadata.name.startsWith(`${name}-1-`));
}

/** Waits until no TXT value is left at the name. */
export function swept(bind: Bind, name: string, deadlineMs = 15_000): Promise<unknown> {
  return until(
    `no TXT record at ${name}`,
    async () => {
      const left = await bind.values(bind.primary, name);
      if (left.length === 0) return true;
      throw new Error(`still there: ${left.join()}`);
    },
    { deadlineMs },
  );
}
