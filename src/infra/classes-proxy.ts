// The EnvoyProxy of one class: what the platform wrote in a base of its own, under what the class, the images, the trust bundle and a sidecar's
// ServiceAccount ask for. The base is copied, never changed. Called by planClasses.

import type { GatewayInfra, InfraClass } from '../api/gateway-infra.ts';
import type { Reply } from '../api/reply.ts';
import { imageFrom, isMirrored } from './eg-images.ts';
import type { Release } from './eg-release.ts';
import { asMapping, layered, type Mapping, valueAt } from './json.ts';
import { layeredPod, sidecarLayer } from './proxy-pod.ts';

type Fleet = 'envoyDeployment' | 'envoyDaemonSet';

export interface ProxyFault {
  readonly reason: 'MergeGatewaysRefused' | 'KindConflict' | 'ProviderRefused' | 'PatchConflict';
  /** What is wrong with the base, as the end of a sentence about it. */
  readonly fault: string;
}

/** The EnvoyProxy's spec. `base` is the spec of the object that envoyProxyRef names, if it names one. */
export function proxySpec(
  infra: Pick<GatewayInfra, 'spec'>,
  release: Release,
  wanted: InfraClass,
  base: Mapping,
): Reply<Mapping, ProxyFault> {
  const fault = baseFault(wanted, base);
  if (fault !== undefined) return { ok: false, problem: fault };
  const fleet = fleetOf(wanted, base);
  const under = asMapping(valueAt(base, ['provider', 'kubernetes', fleet])) ?? {};
  const patched = sidecarLayer(infra.spec.namespaceResources?.extension?.serviceAccount, under);
  if (!patched.ok) return { ok: false, problem: { reason: 'PatchConflict', fault: patched.problem } };
  const pod = layeredPod(infra.spec, layered(under, imageLayer(infra, release, under)));
  const kubernetes = { [fleet]: layered(pod, patched.value), ...serviceLayer(wanted.service) };
  return { ok: true, value: layered(base, { provider: { type: 'Kubernetes', kubernetes } }) };
}

/** What Envoy Gateway would refuse each Gateway of the class for, or what contradicts the class. */
function baseFault(wanted: InfraClass, base: Mapping): ProxyFault | undefined {
  if (base.mergeGateways === true) {
    const fault = 'has mergeGateways: true, which Envoy Gateway refuses in Gateway Namespace Mode; set it to false';
    return { reason: 'MergeGatewaysRefused', fault };
  }
  const type = valueAt(base, ['provider', 'type']);
  if (type !== undefined && type !== 'Kubernetes') {
    return { reason: 'ProviderRefused', fault: 'has a provider.type other than Kubernetes' };
  }
  const other = wanted.kind === 'DaemonSet' ? 'envoyDeployment' : 'envoyDaemonSet';
  if (wanted.kind === undefined || valueAt(base, ['provider', 'kubernetes', other]) === undefined) return undefined;
  const fault = `has provider.kubernetes.${other}, while the class is of the kind ${wanted.kind}; remove one of them`;
  return { reason: 'KindConflict', fault };
}

/** The class says it, else the base, else a Deployment. */
function fleetOf(wanted: InfraClass, base: Mapping): Fleet {
  const based = valueAt(base, ['provider', 'kubernetes', 'envoyDaemonSet']) === undefined ? 'Deployment' : 'DaemonSet';
  return (wanted.kind ?? based) === 'DaemonSet' ? 'envoyDaemonSet' : 'envoyDeployment';
}

/** An image that the base names stays. */
function imageLayer({ spec }: Pick<GatewayInfra, 'spec'>, release: Release, under: Mapping): Mapping {
  const named = valueAt(under, ['container', 'image']) ?? valueAt(under, ['container', 'imageRepository']);
  return named !== undefined || !isMirrored(spec.images)
    ? {}
    : { container: { image: imageFrom(spec.images, release.envoy) } };
}

function serviceLayer(service: InfraClass['service']): Mapping {
  if (service === undefined) return {};
  const { sourceRanges, patch, ...same } = service;
  return {
    envoyService: {
      ...same,
      ...(sourceRanges === undefined ? {} : { loadBalancerSourceRanges: sourceRanges }),
      ...(patch === undefined ? {} : { patch: { type: 'StrategicMerge', ...asMapping(patch) } }),
    },
  };
}
