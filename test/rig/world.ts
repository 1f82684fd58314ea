// The test world: a real API server with controller manager, Pebble and a DNS server on loopback, with the Gateway API, our
// CRDs and our manifests installed. Called by the vitest set-up, the demo, the benchmarks and `npm run up`.

import { mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildParts, type Progress } from './build.ts';
import { createAuthority } from './certificates.ts';
import { type Site, startControlPlane } from './control-plane.ts';
import { type DnsControl, startDnsControl } from './dns/control.ts';
import { type DnsServer, startDns } from './dns/server.ts';
import { controllerKubeconfig } from './identity.ts';
import { install } from './install.ts';
import { type Pebble, startPebble } from './pebble.ts';
import { startTether, type Tether } from './tether.ts';

export interface World extends AsyncDisposable {
  /** Certificates, data and logs; removed with the world. */
  readonly dir: string;
  /** Of an administrator. */
  readonly kubeconfig: string;
  readonly apiUrl: string;
  readonly apiCaFile: string;
  readonly kubectl: string;
  readonly acme: Pebble & {
    /** Verify Pebble's HTTPS; the CA that signs its certificates is at `<management>/roots/0`. */
    readonly caPem: string;
    readonly caFile: string;
  };
  /** 127.0.0.1:port, UDP and TCP; every name resolves to 127.0.0.1 until set otherwise. */
  readonly dns: Omit<DnsServer, 'lookup' | typeof Symbol.asyncDispose> & { readonly controlUrl: string };
  /** JSON lines of audit.k8s.io/v1 Events at level Metadata, stage ResponseComplete. */
  readonly auditLog: string;
  /** Starts further processes that end with the world. */
  readonly tether: Tether;
  /** A kubeconfig with a token of ServiceAccount certway-system/certway-controller. */
  controllerKubeconfig(): Promise<string>;
}

export interface WorldOptions {
  readonly progress?: Progress;
  /** An empty directory to use instead of a new one below the system's temporary directory. */
  readonly dir?: string;
  readonly pebbleEnv?: Readonly<Record<string, string>>;
  readonly dnsPort?: number;
  /** Where Pebble knocks for HTTP-01; by default a free port. */
  readonly acmeHttpPort?: number;
}

/**
 * Builds what is missing and starts a world, in about five seconds when nothing is. All of it ends with the returned value
 * or with this process, however that ends. When it cannot start, the directory with the logs is kept and named.
 */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const progress = options.progress ?? (() => undefined);
  const parts = await buildParts(progress);
  const dir = options.dir ?? (await mkdtemp(join(await realpath(tmpdir()), 'certway-')));
  const tether = await startTether(dir);
  try {
    const site = { dir, parts, tether, authority: await createAuthority(dir) };
    return await raise(site, options, progress);
  } catch (error) {
    tether.keepLogs();
    await tether[Symbol.asyncDispose]();
    throw new Error(`The test world did not start; its logs are in ${dir}.`, { cause: error });
  }
}

async function raise(site: Site, options: WorldOptions, progress: Progress): Promise<World> {
  const { dir, parts, authority, tether } = site;
  const started = performance.now();
  const tell = (what: string) => progress(`${what} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  progress('Starting the API server, Pebble and DNS …');
  const [plane, ca] = await Promise.all([
    startControlPlane(site).then(async (ready) => {
      tell('API server is ready');
      await install({ kubectl: parts.kubectl, kubeconfig: ready.kubeconfig }, parts);
      tell('Gateway API, CRDs and manifests are installed');
      // Last, so that the garbage collector knows all kinds from its start instead of finding them half a minute later.
      await ready.startControllerManager();
      tell('kube-controller-manager is ready');
      return ready;
    }),
    startCa(site, options).then((ready) => {
      tell('Pebble and DNS are ready');
      return ready;
    }),
  ]);
  const { startControllerManager: _, ...access } = plane;
  return {
    ...access,
    dir,
    kubectl: parts.kubectl,
    acme: { ...ca.pebble, caPem: authority.caPem, caFile: authority.caFile },
    dns: { ...ca.dns, controlUrl: ca.control.url },
    tether,
    controllerKubeconfig: () => controllerKubeconfig({ ...access, kubectl: parts.kubectl, dir }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([
        tether[Symbol.asyncDispose](),
        ca.dns[Symbol.asyncDispose](),
        ca.control[Symbol.asyncDispose](),
      ]);
    },
  };
}

interface Ca {
  readonly dns: DnsServer;
  readonly control: DnsControl;
  readonly pebble: Pebble;
}

async function startCa(site: Site, { dnsPort, pebbleEnv = {}, acmeHttpPort }: WorldOptions): Promise<Ca> {
  const dns = await startDns(dnsPort);
  const control = await startDnsControl(dns);
  return { dns, control, pebble: await startPebble(site, dns.address, pebbleEnv, acmeHttpPort) };
}
