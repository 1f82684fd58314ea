// What would be lost if our definition took the place of one that somebody else has made: the reasons to refuse. And, for one that is ours, what
// no update may do. Called by crd-sight.ts; the sentences go into CRDsReady as they are.

import type { Crd, CrdVersion } from '../api/crd.ts';
import { bundleVersionAnnotation, channelAnnotation, ownBundleAnnotation } from '../api/crd.ts';
import type { ObjectMeta } from '../api/meta.ts';
import { schemaLosses } from './crd-schema.ts';

/** Everything that a take-over would take away; empty: nothing. */
export function takeOverLosses(live: Crd, ours: Crd): readonly string[] {
  const served = live.spec.versions
    .filter((version) => version.served && !versionOf(ours, version.name)?.served)
    .map(({ name }) => `it serves version ${name}, ours does not`);
  const schemas = live.spec.versions.flatMap((version) => {
    const other = versionOf(ours, version.name);
    return other === undefined ? [] : fieldsLost(version, other);
  });
  return [...updateObstacles(live, ours), ...served, ...schemas, ...conversionLost(live)];
}

/** What holds for our own, too: versions in which objects are stored, a newer release, the channel, what the API server keeps as it is. */
export function updateObstacles(live: Crd, ours: Crd): readonly string[] {
  const stored = (live.status?.storedVersions ?? [])
    .filter((name) => versionOf(ours, name) === undefined)
    .map((name) => `version ${name} stands in status.storedVersions, and ours does not have it`);
  const [from, to] = [releaseOf(live.metadata), releaseOf(ours.metadata)];
  const newer = from !== undefined && to !== undefined && isNewer(from, to);
  const downgrade = newer ? [`it is of release ${from}, ours of ${to}`] : [];
  const experimental =
    channelOf(ours.metadata) === 'experimental' && channelOf(live.metadata) === 'standard'
      ? ['it is of the standard channel, ours of the experimental one']
      : [];
  const fixed = [
    ...(live.spec.scope === ours.spec.scope ? [] : [`its scope is ${live.spec.scope}, ours ${ours.spec.scope}`]),
    ...(live.spec.names.kind === ours.spec.names.kind ? [] : [`its kind is ${live.spec.names.kind}`]),
  ];
  return [...stored, ...downgrade, ...experimental, ...fixed];
}

/** Of the Gateway API's own annotation, or of ours where there is none. */
export function releaseOf({ annotations }: ObjectMeta): string | undefined {
  return annotations?.[bundleVersionAnnotation] ?? annotations?.[ownBundleAnnotation];
}

export function channelOf({ annotations }: ObjectMeta): string | undefined {
  return annotations?.[channelAnnotation];
}

function versionOf(crd: Crd, name: string): CrdVersion | undefined {
  return crd.spec.versions.find((version) => version.name === name);
}

function fieldsLost(live: CrdVersion, ours: CrdVersion): readonly string[] {
  const lost = schemaLosses(live.schema?.openAPIV3Schema, ours.schema?.openAPIV3Schema);
  return lost.map((what) => `in ${live.name}: ${what}`);
}

function conversionLost({ spec: { conversion } }: Crd): readonly string[] {
  if (conversion === undefined || conversion.strategy === 'None') return [];
  return [`it converts between its versions by ${conversion.strategy.toLowerCase()}, ours does not`];
}

// A pre-release stands before its release; what is no release is neither older nor newer.
const release = /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(-.+)?$/;

function isNewer(from: string, to: string): boolean {
  const [a, b] = [release.exec(from), release.exec(to)];
  if (a === null || b === null) return false;
  for (const part of [1, 2, 3]) {
    const difference = Number(a[part]) - Number(b[part]);
    if (difference !== 0) return difference > 0;
  }
  return a[4] === undefined && b[4] !== undefined;
}
