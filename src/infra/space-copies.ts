// Copies of pull Secrets in a hosting namespace: what of systemNamespace is copied, what is not and why, and how what stands differs from that.
// Tenants can read them (X5): they are made only for names in the spec, and only of pull Secrets. Called by provision/spaces.ts.

import type { Secret } from '../api/core.ts';
import type { GatewayInfra } from '../api/gateway-infra.ts';
import { secrets } from '../api/resources.ts';
import { covers } from './covers.ts';
import { digestOf } from './digest.ts';
import type { Host } from './hosting.ts';
import { rendered } from './render-object.ts';
import { owned, uidOf } from './space.ts';
import type { Wanted } from './wanted.ts';

const appliedAnnotation = 'certway.dev/applied';
const pullTypes: readonly string[] = ['kubernetes.io/dockerconfigjson', 'kubernetes.io/dockercfg'];

export interface Copies {
  readonly wanted: readonly Wanted[];
  /** Sentences about those that are not copied. */
  readonly notes: readonly string[];
}

/** `source` finds a Secret of systemNamespace by its name. */
export function copiesFor(
  namespace: string,
  infra: GatewayInfra,
  host: Host,
  source: (name: string) => Secret | undefined,
): Copies {
  const { systemNamespace, namespaceResources } = infra.spec;
  const wanted: Wanted[] = [];
  const notes: string[] = [];
  for (const name of namespaceResources?.pullSecrets ?? []) {
    const found = source(name);
    const from = `Secret ${systemNamespace}/${name} (spec.namespaceResources.pullSecrets)`;
    if (found === undefined) {
      notes.push(`${from} does not exist, so it is not copied; create it, or take the name out.`);
    } else if (!pullTypes.includes(found.type ?? '')) {
      const type = found.type ?? 'Opaque';
      notes.push(`${from} is of type ${type}, no pull Secret, so it is not copied; name one of type ${pullTypes[0]}.`);
    } else {
      wanted.push(copyOf(namespace, infra, host, found));
    }
  }
  return { wanted, notes };
}

export interface CopyChanges {
  readonly apply: readonly Wanted[];
  /** The type of a Secret cannot be changed: it goes, and is made anew. */
  readonly replace: readonly Wanted[];
  readonly remove: readonly Secret[];
}

/** `live`: every copy of ours that stands in the namespace. `kept`: names that stay although their source is gone for now. */
export function copyChanges(
  wanted: readonly Wanted[],
  live: readonly Secret[],
  kept: ReadonlySet<string>,
): CopyChanges {
  const standing = new Map(live.map((each) => [each.metadata.name, each]));
  const named = new Set([...kept, ...wanted.map(({ object }) => object.metadata.name)]);
  const off = wanted.filter(({ object }) => !isRight(standing.get(object.metadata.name), object));
  const isAnotherType = ({ object }: Wanted) => {
    const there = standing.get(object.metadata.name);
    return there !== undefined && there.type !== object.type;
  };
  return {
    apply: off.filter((each) => !isAnotherType(each)),
    replace: off.filter(isAnotherType),
    remove: live.filter(({ metadata }) => !named.has(metadata.name)),
  };
}

/** What others add stands beside it; what we no longer want changes the annotation, and the next apply takes it away. */
function isRight(live: Secret | undefined, wanted: Wanted['object']): boolean {
  return live !== undefined && covers(live, wanted);
}

/** A digest of names alone: nothing of a Secret's content may be told by its metadata. */
function copyOf(namespace: string, infra: GatewayInfra, host: Host, source: Secret): Wanted {
  const { name } = source.metadata;
  const data = source.data ?? {};
  const annotations = { [appliedAnnotation]: digestOf({ keys: Object.keys(data).sort(), owners: host.owners }) };
  const copy = rendered(secrets, uidOf(infra), { namespace, name, annotations }, { type: source.type, data });
  return owned(copy, host.owners);
}
