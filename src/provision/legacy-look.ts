// Reads what may be left of an Envoy Gateway that its chart installed: in one namespace, and by the chart's label in the cluster. Live lists, since
// nothing of it is watched. Called by legacy.ts.

import type { KubeObject } from '../api/meta.ts';
import type { Reply } from '../api/reply.ts';
import * as resources from '../api/resources.ts';
import { gatewayName } from '../infra/eg-names.ts';
import { certgenSecrets, type LegacySight } from '../infra/legacy-install.ts';
import {
  chartName,
  chartSelector,
  cleanerBinding,
  everywhereKinds,
  insideKinds,
  type LegacyObject,
  leaderLease,
} from '../infra/legacy-kinds.ts';
import { chartOf, isRelease } from '../infra/legacy-release.ts';
import type { Selection } from '../kube/pages.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { ProvisionProblem } from './ensure.ts';
import type { InfraPorts } from './ports.ts';

type Look = Pick<InfraPorts, 'kube' | 'stores'>;

/** One sight per namespace. A namespace beside our own that may not be read is a sight too; anything else that is refused is a problem. */
export async function lookForLegacy(
  ports: Look,
  places: readonly string[],
  systemNamespace: string,
): Promise<Reply<readonly LegacySight[], ProvisionProblem>> {
  const everywhere = await listAll(ports, everywhereKinds, { labelSelector: chartSelector });
  if (!everywhere.ok) return everywhere;
  const sights: LegacySight[] = [];
  for (const namespace of places) {
    const inside = await listAll(ports, insideKinds, { namespace });
    const isDenied = !inside.ok && inside.problem.kube.kind === 'forbidden' && namespace !== systemNamespace;
    if (!inside.ok && !isDenied) return inside;
    const byName = namespace === systemNamespace ? recordsIn(ports) : await knownIn(ports, namespace);
    sights.push({ namespace, inside: inside.ok ? inside.value : 'denied', everywhere: everywhere.value, byName });
  }
  return { ok: true, value: sights };
}

/** What Envoy Gateways have made for Gateways, in all namespaces. */
export function lookForProxies(ports: Look): Promise<Reply<readonly LegacyObject[], ProvisionProblem>> {
  const kinds = [resources.deployments, resources.daemonSets, resources.services];
  const labelSelector = 'app.kubernetes.io/managed-by=envoy-gateway,app.kubernetes.io/component=proxy';
  return listAll(ports, kinds, { labelSelector });
}

async function listAll(
  { kube }: Look,
  kinds: readonly resources.Resource<resources.Rendered>[],
  selection: Selection,
): Promise<Reply<readonly LegacyObject[], ProvisionProblem>> {
  const lists = await Promise.all(kinds.map(async (of) => ({ of, answer: await kube.list(of, selection) })));
  const found: LegacyObject[] = [];
  for (const { of, answer } of lists) {
    if (!answer.ok) return { ok: false, problem: listProblem(of, selection, answer.problem) };
    found.push(...answer.value.map((object) => ({ of, object })));
  }
  return { ok: true, value: found };
}

function listProblem(
  of: resources.Resource<KubeObject>,
  { namespace }: Selection,
  kube: KubeProblem,
): ProvisionProblem {
  return {
    step: 'legacy',
    object: `${of.plural} in ${namespace === undefined ? 'the cluster' : `namespace ${namespace}`}`,
    kube,
  };
}

/** Helm's records about Envoy Gateway's chart and nothing else. Only their names leave this function. */
function recordsIn({ stores }: Look): readonly LegacyObject[] {
  return [...stores.systemSecrets.list()]
    .filter((secret) => isRelease(secret) && chartOf(secret) === chartName)
    .map((secret) => named(resources.secrets, secret));
}

/** What cannot be read there is not there for us. */
async function knownIn({ kube }: Look, namespace: string): Promise<readonly LegacyObject[]> {
  const known = [
    ...certgenSecrets.map((name) => ({ of: resources.secrets, name })),
    { of: resources.leases, name: leaderLease },
    { of: resources.roleBindings, name: cleanerBinding },
  ] as const;
  const found = await Promise.all(
    known.map(async ({ of, name }) => ({ of, answer: await kube.get<KubeObject>(of, { namespace, name }) })),
  );
  return found.flatMap(({ of, answer }) => (answer.ok && isMeant(answer.value) ? [named(of, answer.value)] : []));
}

/** A Secret by certgen, which labels it; the binding of an administrator, not the one that deploy/ holds for good. */
function isMeant({ kind, metadata: { labels = {} } }: KubeObject): boolean {
  if (kind === 'Secret') return labels['control-plane'] === gatewayName;
  return labels['app.kubernetes.io/part-of'] !== 'certway';
}

function named(of: resources.Resource<KubeObject>, { apiVersion, kind, metadata }: KubeObject): LegacyObject {
  return { of, object: { apiVersion, kind, metadata } };
}
