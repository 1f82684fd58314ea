// What the Pods of proxies get beside what their EnvoyProxy's base says: copied pull Secrets, the copied trust bundle, and for a sidecar with
// rights of its own its ServiceAccount and the name of the Gateway it serves. Called by proxySpec.

import type { GatewayInfraSpec } from '../api/gateway-infra.ts';
import type { Reply } from '../api/reply.ts';
import { pullSecretRefs } from './eg-images.ts';
import { asMapping, layered, type Mapping, valueAt } from './json.ts';
import { trustBundleName } from './space-names.ts';

const trustBundlePath = '/etc/certway/trust-bundle';

/** `under` is the base's envoyDeployment or envoyDaemonSet. */
export function layeredPod({ namespaceResources }: GatewayInfraSpec, under: Mapping): Mapping {
  const pulled = pullSecretRefs(namespaceResources?.pullSecrets);
  const bundled = namespaceResources?.trustBundle === undefined ? [] : [trustBundleName];
  const secrets = [...listAt(under, ['pod', 'imagePullSecrets']), ...pulled];
  const volumes = [...listAt(under, ['pod', 'volumes']), ...bundled.map(trustVolume)];
  const mounts = [...listAt(under, ['container', 'volumeMounts']), ...bundled.map(trustMount)];
  return layered(under, {
    ...(pulled.length + bundled.length === 0
      ? {}
      : {
          pod: {
            ...(secrets.length === 0 ? {} : { imagePullSecrets: uniqueBy('name', secrets) }),
            ...(volumes.length === 0 ? {} : { volumes: uniqueBy('name', volumes) }),
          },
        }),
    ...(bundled.length === 0 ? {} : { container: { volumeMounts: uniqueBy('mountPath', mounts) } }),
  });
}

/** Optional: a proxy starts also where the copy is not there yet. */
function trustVolume(name: string) {
  return { name, configMap: { name, optional: true } };
}

function trustMount(name: string) {
  return { name, mountPath: trustBundlePath, readOnly: true };
}

function listAt(from: Mapping, path: readonly string[]): readonly unknown[] {
  const value = valueAt(from, path);
  return Array.isArray(value) ? value : [];
}

/** What the base has stands first and stays. */
function uniqueBy(key: string, items: readonly unknown[]): readonly unknown[] {
  const keys = items.map((item) => asMapping(item)?.[key]);
  return items.filter((_, index) => keys[index] === undefined || keys.indexOf(keys[index]) === index);
}

/**
 * The whole Pod runs under the sidecar's ServiceAccount, for Kubernetes knows none per container: by a patch, because one that EnvoyProxy names
 * itself is made by Envoy Gateway, which refuses one that is there already.
 */
export function sidecarLayer(serviceAccount: string | undefined, under: Mapping): Reply<Mapping, string> {
  if (serviceAccount === undefined) return { ok: true, value: {} };
  const patch = asMapping(under.patch);
  const type = patch?.type ?? 'StrategicMerge';
  const value = patch === undefined ? {} : asMapping(patch.value);
  if ((type !== 'StrategicMerge' && type !== 'JSONMerge') || value === undefined) {
    return { ok: false, problem: 'has a patch that is no merge patch, so that no ServiceAccount can be added to it' };
  }
  const pod = { serviceAccountName: serviceAccount, automountServiceAccountToken: true };
  const merged = layered(value, { spec: { template: { spec: pod } } });
  const sidecars = listAt(under, ['initContainers']).map(withOwner);
  return {
    ok: true,
    value: { patch: { type, value: merged }, ...(sidecars.length === 0 ? {} : { initContainers: sidecars }) },
  };
}

/** A container that runs beside the proxy learns which Gateway it serves; a variable that it sets itself stays. */
function withOwner(container: unknown): unknown {
  const sidecar = asMapping(container);
  if (sidecar?.restartPolicy !== 'Always') return container;
  const owner = [
    ['OWNING_GATEWAY_NAME', 'owning-gateway-name'],
    ['OWNING_GATEWAY_NAMESPACE', 'owning-gateway-namespace'],
  ].map(([name, label]) => ({
    name,
    valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.labels['gateway.envoyproxy.io/${label}']` } },
  }));
  return { ...sidecar, env: uniqueBy('name', [...listAt(sidecar, ['env']), ...owner]) };
}
