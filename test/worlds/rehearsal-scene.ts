// Two CAs: a world's Pebble as production, and another one as its staging directory, each behind a proxy that counts. Names resolve for the second one
// by a DNS server of its own, so that a name can be broken for the rehearsal alone.

import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { annotations } from '../../src/api/names.ts';
import { buildParts } from '../rig/build.ts';
import { createAuthority } from '../rig/certificates.ts';
import { type DnsServer, startDns } from '../rig/dns/server.ts';
import { startPebble } from '../rig/pebble.ts';
import { type AcmeFault, startAcmeFault } from '../rig/proxy/acme-fault.ts';
import type { World } from '../rig/world.ts';
import { issuerWith } from './dns01-scene.ts';

export interface Stages extends AsyncDisposable {
  readonly production: AcmeFault;
  readonly staging: AcmeFault;
  /** What staging resolves names by. */
  readonly stagingDns: DnsServer;
}

/** `zones` are looked up elsewhere by staging too. */
export async function startStages(world: World, zones: Readonly<Record<string, string>>): Promise<Stages> {
  await using things = new AsyncDisposableStack();
  const dir = await mkdtemp(join(world.dir, 'staging-'));
  const stagingDns = things.use(await startDns());
  for (const [zone, at] of Object.entries(zones)) stagingDns.set(zone, { forward: at });
  const authority = await createAuthority(dir);
  const site = { dir, parts: await buildParts(() => undefined), tether: world.tether, authority };
  const env = { PEBBLE_AUTHZREUSE: '100', PEBBLE_WFE_NONCEREJECT: '0' };
  const pebble = await startPebble(site, stagingDns.address, env, world.acme.httpPort);
  const staging = things.use(await startAcmeFault({ ...pebble, caPem: authority.caPem }));
  const production = things.use(await startAcmeFault(world.acme));
  const moved = things.move();
  return { production, staging, stagingDns, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

/** An Issuer at production that rehearses at `place`. */
export function rehearsingIssuer(
  namespace: string,
  { production, staging }: Stages,
  { name, solvers, place = staging.directory }: RehearsingIssuer,
) {
  const issuer = issuerWith(namespace, production, name, solvers);
  // The two proxies sign by authorities of one name, which no bundle keeps apart.
  const { caBundle: _, ...acme } = Object(issuer).spec.acme;
  return {
    ...issuer,
    spec: { acme: { ...acme, skipTLSVerify: true } },
    metadata: { ...issuer.metadata, annotations: { [annotations.rehearse]: place } },
  };
}

export interface RehearsingIssuer {
  readonly name: string;
  readonly solvers: Parameters<typeof issuerWith>[3];
  readonly place?: string;
}

/** How often an edge of a CA was passed. */
export function passed({ proxy }: AcmeFault, edge: string): number {
  return proxy.passed.filter((each) => each.edge === edge).length;
}
