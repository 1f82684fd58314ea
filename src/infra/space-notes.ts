// What people should know of a hosting namespace although nothing fails: a source that is missing, a name that is taken, a list that leaves it out.
// Sentences for its line in the status. Called by provision/spaces-provide.ts.

import { isHosting } from './hosting.ts';
import { isWatched } from './space.ts';
import { claimedNames } from './space-names.ts';
import type { SpaceSeen } from './space-plan.ts';

export function notesOn(seen: SpaceSeen): readonly string[] {
  return [...onBundle(seen), ...onNames(seen), ...onWatch(seen)];
}

function onBundle({ infra, bundle }: SpaceSeen): readonly string[] {
  const ref = infra.spec.namespaceResources?.trustBundle?.configMapRef;
  if (ref === undefined || bundle !== 'absent') return [];
  return [
    `ConfigMap ${ref.namespace}/${ref.name} (spec.namespaceResources.trustBundle) does not exist, so no trust bundle is made here; create it.`,
  ];
}

/** Envoy Gateway calls what it makes for a Gateway by the Gateway's name, and takes over nothing that stands. */
function onNames({ infra, host }: SpaceSeen): readonly string[] {
  const claimed = claimedNames(infra);
  return host.gatewayNames
    .filter((name) => claimed.has(name))
    .map(
      (name) => `Gateway ${name} has the name of an object of infra's, so it cannot be served; give it another name.`,
    );
}

function onWatch({ namespace, infra, host, labels = {} }: SpaceSeen): readonly string[] {
  const wished = Object.entries(infra.spec.watch?.selector?.matchLabels ?? {});
  const lacks = wished.filter(([name, value]) => labels[name] !== value).map((pair) => pair.join('='));
  if (isHosting(host) && lacks.length > 0) {
    return [
      `Envoy Gateway does not read ${namespace}: the namespace lacks the label ${lacks.join(', ')} (spec.watch.selector); add it there.`,
    ];
  }
  if (!isHosting(host) || infra.spec.watch?.namespaces === undefined || isWatched(namespace, infra)) return [];
  return [`Envoy Gateway does not read ${namespace}: it is not in spec.watch.namespaces; add it there.`];
}
