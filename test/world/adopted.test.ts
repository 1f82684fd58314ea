// What the real cert-manager 1.21 made, as move.test.ts recorded it, managedFields and all: a namespace of it is adopted as it stands.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Certificate } from '../../src/api/certmanager.ts';
import type { Secret } from '../../src/api/core.ts';
import type { KubeObject, ManagedFields } from '../../src/api/meta.ts';
import { certificateRequests, certificates, orders, secrets } from '../../src/api/resources.ts';
import { kubeClient } from '../../src/kube/client.ts';
import { openSession, type Session } from '../../src/kube/session.ts';
import { controllerUser, openAudit } from '../rig/audit.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { gateway, listenerSet, makeTeam, type Team } from './team.ts';

type Recorded = KubeObject & { readonly status?: object; readonly metadata: { readonly managedFields?: readonly ManagedFields[] } };

let world: SharedWorld;
let team: Team;
let session: Session;
const began = Date.now();

// Pebble's certificates last 90 days, too short for a record; move.test.ts has them.
const isLasting = ({ metadata }: KubeObject) => !metadata.name.startsWith('acme');

async function recorded<T extends Recorded>(kind: string): Promise<readonly T[]> {
  const file = join(import.meta.dirname, '../fixtures/cert-manager', `${kind}.json`);
  const all: T[] = JSON.parse(await readFile(file, 'utf8'));
  return all.filter(isLasting);
}

/** One apply per manager that it was recorded with, so that it is theirs here too; `uids` are those of its owners in this world. */
async function put(kind: string, object: Recorded, uids: ReadonlyMap<string, string> = new Map()): Promise<void> {
  const { apiVersion, metadata, status, ...rest } = object;
  const { name, labels, annotations, ownerReferences, managedFields = [] } = metadata;
  const owners = (ownerReferences ?? []).map((owner) => ({ ...owner, uid: uids.get(`${owner.kind}/${owner.name}`) ?? owner.uid }));
  const kept = { name, namespace: team.namespace, ...(labels && { labels }), ...(annotations && { annotations }) };
  const managers = (wanted: boolean) =>
    managedFields.flatMap(({ manager = 'nobody', subresource }) => ((subresource === 'status') === wanted ? [manager] : []));
  const apply = (body: object, manager: string, ...flags: readonly string[]) =>
    team.kubectl.apply(JSON.stringify(body), '--server-side', '--force-conflicts', `--field-manager=${manager}`, ...flags);
  const [first = 'nobody'] = managers(false);
  await apply({ apiVersion, ...rest, metadata: { ...kept, ...(owners.length > 0 && { ownerReferences: owners }) } }, first);
  if (status === undefined) return;
  const last = managers(true).at(-1) ?? 'nobody';
  await apply({ apiVersion, kind: object.kind, metadata: { name, namespace: team.namespace }, status }, last, '--subresource=status');
  void kind;
}
