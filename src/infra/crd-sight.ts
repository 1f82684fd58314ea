// One CustomResourceDefinition as it stands, reduced to what is decided upon: the schemas, which weigh megabytes, are compared here and let go.
// Made by provision/crds.ts at each change of a definition, from what it has read and what it brings.

import type { Crd } from '../api/crd.ts';
import { infraManagedBy } from '../api/gateway-infra.ts';
import { labels } from '../api/names.ts';
import { covers } from './covers.ts';
import { channelOf, releaseOf, takeOverLosses, updateObstacles } from './crd-loss.ts';
import { hasForeignMark } from './crd-owner.ts';
import { digestOf } from './digest.ts';

export interface CrdSight {
  readonly established: boolean;
  readonly terminating: boolean;
  readonly release?: string;
  readonly channel?: string;
  /** Beside what we bring; absent where we bring none of that name. */
  readonly beside?: Comparison;
}

export interface Comparison {
  /** Nothing of ours is missing, and nothing of its specification is another's. */
  readonly same: boolean;
  /** Whether only our hand has been on it: then what differs is drift, else it may be somebody's work. */
  readonly oursAlone: boolean;
  /** What a take-over would take away. */
  readonly losses: readonly string[];
  /** What no update of our own may do. */
  readonly obstacles: readonly string[];
}

/** On each CRD that we have written: what we wrote, as a hash. With the label of ours and without it, a person hands the CRD over. */
export const writtenAnnotation = 'certway.dev/applied';

export function sightOf(live: Crd, brought: Crd | undefined): CrdSight {
  const { metadata, status } = live;
  const [release, channel] = [releaseOf(metadata), channelOf(metadata)];
  return {
    established: status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True') ?? false,
    terminating: metadata.deletionTimestamp !== undefined,
    ...(release !== undefined && { release }),
    ...(channel !== undefined && { channel }),
    ...(brought !== undefined && { beside: compared(live, brought) }),
  };
}

/** What is applied: the definition as it was brought, with our marks. It has no label of the GatewayInfra, since CRDs outlive it. */
export function crdToApply(brought: Crd): Crd {
  const { name, labels: own, annotations } = brought.metadata;
  const notes = { ...annotations, [writtenAnnotation]: digestOf([brought.spec, own, annotations]) };
  return {
    apiVersion: brought.apiVersion,
    kind: brought.kind,
    metadata: { name, labels: { ...own, [labels.managedBy]: infraManagedBy }, annotations: notes },
    spec: brought.spec,
  };
}

function compared(live: Crd, brought: Crd): Comparison {
  const wanted = crdToApply(brought);
  const { labels: own, annotations } = wanted.metadata;
  // The versions are one value with one writer, in which anything that is not ours is drift; beside them the API server fills in.
  const { versions, ...rest } = wanted.spec;
  const same =
    digestOf(live.spec.versions) === digestOf(versions) &&
    covers(live.spec, rest) &&
    covers(live.metadata, { labels: own, annotations });
  return {
    same,
    oursAlone: live.metadata.annotations?.[writtenAnnotation] !== undefined && !hasForeignMark(live.metadata),
    losses: same ? [] : takeOverLosses(live, brought),
    obstacles: same ? [] : updateObstacles(live, brought),
  };
}
