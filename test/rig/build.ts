// The parts of the test world: which binaries and CRD files at which pinned versions, built once into the cache or taken
// from KUBEBUILDER_ASSETS. Called by world.ts before anything starts.

import { readdir, rename, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { type Build, goBuild, goVersion, keyOf, moduleDirectory } from './go.ts';

export interface Parts {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubeControllerManager: string;
  readonly kubectl: string;
  readonly pebble: string;
  /** Files of the standard channel, in the order of their names. */
  readonly gatewayApiCrds: readonly string[];
  readonly xListenerSetCrd: string;
}

export type Progress = (line: string) => void;

const kubernetesVersion = 'v1.36.3';
const kubernetes = {
  module: 'kubernetes',
  ldflags: `-s -w -X k8s.io/component-base/version.gitVersion=${kubernetesVersion}`,
};
const controllerManager = 'k8s.io/kubernetes/cmd/kube-controller-manager';
const servers: Build = {
  ...kubernetes,
  packages: ['k8s.io/kubernetes/cmd/kube-apiserver', controllerManager, 'k8s.io/kubernetes/cmd/kubectl'],
};
const etcd: Build = { module: 'etcd', packages: ['go.etcd.io/etcd/server/v3'], ldflags: '-s -w' };
const pebble: Build = { module: 'pebble', packages: ['github.com/letsencrypt/pebble/v2/cmd/pebble'], ldflags: '-s -w' };
const certManager: Build = { module: 'cert-manager', packages: ['.'], ldflags: '-s -w', sources: ['main.go'] };
const vault: Build = { module: 'vault', packages: ['.'], ldflags: '-s -w', sources: ['main.go'] };

const envoyGatewayVersion = 'github.com/envoyproxy/gateway/internal/cmd/version.envoyGatewayVersion';
const envoyGateway: Build = {
  module: 'envoy-gateway',
  packages: ['github.com/envoyproxy/gateway/cmd/envoy-gateway'],
  ldflags: `-s -w -X ${envoyGatewayVersion}=v1.9.1`,
};

const cmctl: Build = { module: 'cmctl', packages: ['github.com/cert-manager/cmctl/v2'], ldflags: '-s -w' };

const heartBeatMs = 15_000;

/** Everything a world needs, as absolute paths; builds what is missing (minutes the first time, then milliseconds). */
export async function buildParts(progress: Progress): Promise<Parts> {
  const toolchain = await goVersion();
  const built = (build: Build, label: string) => binaries(build, label, toolchain, progress);
  const [standard, experimental] = await step('Gateway API CRDs', progress, () =>
    Promise.all([moduleDirectory('gateway-api'), moduleDirectory('xlistenerset')]),
  );
  const crds = join(standard, 'config/crd/standard');
  const names = (await readdir(crds)).filter((name) => name.startsWith('gateway.networking') && name.endsWith('.yaml'));
  const pebbleDir = await built(pebble, 'Pebble');
  return {
    ...(await clusterBinaries(process.env.KUBEBUILDER_ASSETS, built)),
    pebble: join(pebbleDir, 'pebble'),
    gatewayApiCrds: names.sort().map((name) => join(crds, name)),
    xListenerSetCrd: join(experimental, 'config/crd/experimental/gateway.networking.x-k8s.io_xlistenersets.yaml'),
  };
}

export interface CertManagerParts {
  readonly controller: string;
  /** cert-manager's own CustomResourceDefinitions. */
  readonly crds: readonly string[];
}

/** The real cert-manager controller, which only the suites that move a cluster from it and back wait for. */
export async function buildCertManager(progress: Progress): Promise<CertManagerParts> {
  const dir = await binaries(certManager, 'cert-manager', await goVersion(), progress);
  const crds = join(await moduleDirectory('cert-manager', 'github.com/cert-manager/cert-manager'), 'deploy/crds');
  const names = (await readdir(crds)).filter((name) => name.endsWith('.yaml'));
  return { controller: join(dir, 'cert-manager'), crds: names.sort().map((name) => join(crds, name)) };
}

/** The real Vault server, with the few plugins that the tests use; only the suites of Vault issuers wait for it. */
export async function buildVault(progress: Progress): Promise<string> {
  return join(await binaries(vault, 'Vault', await goVersion(), progress), 'vault');
}

/** cert-manager's command line tool, which only the suite that runs it waits for; the path of the binary. */
export async function buildCmctl(progress: Progress): Promise<string> {
  return join(await binaries(cmctl, 'cmctl', await goVersion(), progress), 'cmctl');
}

/** Envoy Gateway, which only the stories of e2e/ run; the path of the binary. */
export async function buildEnvoyGateway(progress: Progress): Promise<string> {
  return join(await binaries(envoyGateway, 'Envoy Gateway', await goVersion(), progress), 'envoy-gateway');
}

type ClusterParts = Pick<Parts, 'etcd' | 'kubeApiserver' | 'kubeControllerManager' | 'kubectl'>;

async function clusterBinaries(
  assets: string | undefined,
  built: (build: Build, label: string) => Promise<string>,
): Promise<ClusterParts> {
  if (assets === undefined || assets === '') {
    const etcdDir = await built(etcd, 'etcd');
    const dir = await built(servers, `Kubernetes ${kubernetesVersion}`);
    return {
      etcd: join(etcdDir, 'etcd'),
      kubeApiserver: join(dir, 'kube-apiserver'),
      kubeControllerManager: join(dir, 'kube-controller-manager'),
      kubectl: join(dir, 'kubectl'),
    };
  }
  const given = {
    etcd: join(assets, 'etcd'),
    kubeApiserver: join(assets, 'kube-apiserver'),
    kubectl: join(assets, 'kubectl'),
  };
  for (const file of Object.values(given)) {
    await stat(file).catch((cause) => {
      throw new Error(`KUBEBUILDER_ASSETS is set, but there is no ${file}.`, { cause });
    });
  }
  const dir = await built({ ...kubernetes, packages: [controllerManager] }, 'kube-controller-manager');
  return { ...given, kubeControllerManager: join(dir, 'kube-controller-manager') };
}

async function binaries(build: Build, label: string, toolchain: string, progress: Progress): Promise<string> {
  const key = await keyOf(build, toolchain);
  return cached(
    join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'certway'),
    `${build.module}-${key}`,
    (dir) =>
      step(`${label}: building (once, kept in the cache)`, progress, async () => {
        await goBuild(build, dir);
        if (build === etcd) await rename(join(dir, 'server'), join(dir, 'etcd')); // go build drops the /v3
      }),
    () => progress(`${label}: another run is building it; waiting`),
  );
}

/** Runs `work` with a line when it takes long enough to be noticed, a heart-beat, and a line at its end. */
async function step<T>(label: string, progress: Progress, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const elapsed = () => `${((performance.now() - started) / 1000).toFixed(0)} s`;
  progress(`${label} …`);
  const heart = setInterval(() => progress(`${label}: still at it, ${elapsed()}`), heartBeatMs);
  try {
    const result = await work();
    progress(`${label}: done in ${elapsed()}`);
    return result;
  } finally {
    clearInterval(heart);
  }
}
