// The configuration of Envoy Gateway: what a release needs, under what the platform wrote, under what must be so whatever it wrote (R4). Called
// by renderSystem; the text is what stands in the ConfigMap.

import { parseDocument, stringify } from 'yaml';
import type { GatewayInfra } from '../api/gateway-infra.ts';
import type { Reply } from '../api/reply.ts';
import { digestOf } from './digest.ts';
import { imageFrom, isMirrored, pullSecretRefs } from './eg-images.ts';
import { configKey } from './eg-names.ts';
import type { Release } from './eg-release.ts';
import { asMapping, layered, type Mapping, valueAt, without, withoutNulls } from './json.ts';
import type { InfraRefusal } from './refusal.ts';
import { replicasOf } from './render-service.ts';
import type { WatchScope } from './render-watch.ts';

export interface MergedConfig {
  /** YAML with sorted keys. */
  readonly text: string;
  /** One for each wish that is not followed. */
  readonly overridden: readonly InfraRefusal[];
}

// What Envoy Gateway reads with is YAML 1.1: `yes` means true to both of us.
const yaml = { version: '1.1', merge: true } as const;
const group = 'gateway.envoyproxy.io/v1alpha1';
// Far above any real configuration; a ConfigMap holds no more than 1 MiB anyway.
const longest = 256 * 1024;

/** Never quotes the user's text: it may hold a password of the rate limit's database. */
export function mergeConfig(
  infra: Pick<GatewayInfra, 'spec'>,
  release: Release,
  scope: WatchScope,
  userText: string | undefined,
): Reply<MergedConfig, InfraRefusal> {
  const read = readUserConfig(infra, userText);
  if (!read.ok) return read;
  const forced = forcedConfig(infra, scope);
  const overridden = conflicts(infra, read.value, forced);
  const user = without(without(read.value, ['provider', 'custom']), ['envoyProxy', 'mergeGateways']);
  const merged = layered(layered(defaultConfig(infra, release), without(user, watchPath)), forced);
  return {
    ok: true,
    value: {
      text: stringify(merged, { ...yaml, sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false }),
      overridden,
    },
  };
}

const watchPath = ['provider', 'kubernetes', 'watch'];

function readUserConfig(infra: Pick<GatewayInfra, 'spec'>, text: string | undefined): Reply<Mapping, InfraRefusal> {
  if (text === undefined) return { ok: true, value: {} };
  const unreadable = (why: string) => refuse(infra, 'ConfigUnreadable', `Its key ${configKey} ${why}`);
  if (text.length > longest) return unreadable(`is longer than ${longest / 1024} KiB.`);
  const document = parseDocument(text, { ...yaml, logLevel: 'silent' });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = error.linePos?.[0].line;
    return unreadable(`is no YAML${line === undefined ? '' : `: see line ${line}`} (${error.code}).`);
  }
  const value = plainOf(document);
  const config = value === null ? {} : asMapping(value);
  if (config === undefined) return unreadable('must hold the fields of an EnvoyGateway, such as provider and logging.');
  if ((config.kind ?? 'EnvoyGateway') !== 'EnvoyGateway' || (config.apiVersion ?? group) !== group) {
    return unreadable(`must be of the kind EnvoyGateway in ${group}.`);
  }
  const said = withoutNulls(config);
  const misshapen = branches.find((path) => {
    const branch = valueAt(said, path.split('.'));
    return branch !== undefined && asMapping(branch) === undefined;
  });
  return misshapen === undefined
    ? { ok: true, value: said }
    : unreadable(`has a field ${misshapen} that is no mapping.`);
}

const branches = ['gateway', 'provider', 'provider.kubernetes', 'provider.kubernetes.deploy', 'envoyProxy'];

/** Too many aliases throw: a text of a few lines may mean gigabytes. */
function plainOf(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    return undefined;
  }
}

/** Where the user says nothing. */
function defaultConfig({ spec }: Pick<GatewayInfra, 'spec'>, release: Release): Mapping {
  const rateLimitSecrets = pullSecretRefs(spec.images?.pullSecrets);
  return {
    logging: { level: { default: 'info' } },
    provider: {
      kubernetes: {
        rateLimitDeployment: {
          container: { image: imageFrom(spec.images, release.rateLimit) },
          ...(rateLimitSecrets.length === 0 ? {} : { pod: { imagePullSecrets: rateLimitSecrets } }),
        },
        shutdownManager: { image: imageFrom(spec.images, release.gateway) },
      },
    },
    ...(isMirrored(spec.images) ? { envoyProxy: proxyDefaults(imageFrom(spec.images, release.envoy)) } : {}),
  };
}

/** For Gateways of classes that we only recognise, whose EnvoyProxy is not ours. */
function proxyDefaults(image: string): Mapping {
  return { provider: { type: 'Kubernetes', kubernetes: { envoyDeployment: { container: { image } } } } };
}

function forcedConfig({ spec }: Pick<GatewayInfra, 'spec'>, scope: WatchScope): Mapping {
  return {
    apiVersion: group,
    kind: 'EnvoyGateway',
    gateway: { controllerName: spec.controllerName },
    provider: {
      type: 'Kubernetes',
      kubernetes: {
        deploy: { type: 'GatewayNamespace' },
        watch: watchOf(scope),
        proxyTopologyInjector: { disabled: spec.topologyInjector !== 'HostingNamespaces' },
        // Two replicas without it would both write, against each other.
        ...(replicasOf(spec) > 1 ? { leaderElection: { disable: false } } : {}),
      },
    },
  };
}

function watchOf(scope: WatchScope): Mapping {
  return scope.kind === 'namespaces'
    ? { type: 'Namespaces', namespaces: scope.names }
    : { type: 'NamespaceSelector', namespaceSelector: { matchLabels: scope.labels } };
}

const mustBe: readonly (readonly [path: string, why: string])[] = [
  ['gateway.controllerName', 'set spec.controllerName of the GatewayInfra instead'],
  ['provider.type', 'Certway runs Envoy Gateway in Kubernetes only'],
  ['provider.kubernetes.deploy.type', 'Certway runs Envoy Gateway in Gateway Namespace Mode only'],
  ['provider.kubernetes.watch', 'set spec.watch of the GatewayInfra instead'],
  ['provider.kubernetes.proxyTopologyInjector.disabled', 'set spec.topologyInjector of the GatewayInfra instead'],
  ['provider.kubernetes.leaderElection.disable', 'with more than one replica they elect a leader'],
  ['provider.custom', 'Certway runs Envoy Gateway in Kubernetes only'],
  ['envoyProxy.mergeGateways', 'Gateways cannot be merged in Gateway Namespace Mode'],
];

/** Of those fields, the ones that nothing stands in place of: they are left out. */
const leftOut = new Set(['provider.custom', 'envoyProxy.mergeGateways']);

function conflicts(infra: Pick<GatewayInfra, 'spec'>, user: Mapping, forced: Mapping): readonly InfraRefusal[] {
  return mustBe.flatMap(([path, why]) => {
    const wished = valueAt(user, path.split('.'));
    const given = valueAt(forced, path.split('.'));
    const asWished = digestOf(wished) === digestOf(given);
    const followed = given === undefined ? !leftOut.has(path) || wished === false : asWished;
    return wished === undefined || followed
      ? []
      : [refuse(infra, 'ConfigOverridden', `Its field ${path} is not followed: ${why}.`).problem];
  });
}

function refuse({ spec }: Pick<GatewayInfra, 'spec'>, reason: string, message: string) {
  const ref = spec.envoyGatewayConfigRef;
  const object = ref === undefined ? 'GatewayInfra default' : `ConfigMap ${ref.namespace}/${ref.name}`;
  return { ok: false as const, problem: { step: 'Configuration', object, reason, message: `${object}: ${message}` } };
}
