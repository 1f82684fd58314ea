// What the real cert-manager 1.21 made, as move.test.ts recorded it, field by field under the managers that wrote it: adopted as it stands.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Certificate } from '../../src/api/certmanager.ts';
import type { Secret } from '../../src/api/core.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import {
  certificateRequests,
  certificates,
  gateways,
  issuers,
  listenerSets,
  orders,
  type Resource,
  secrets,
} from '../../src/api/resources.ts';
import { type Kube, kubeClient } from '../../src/kube/client.ts';
import { objectPath } from '../../src/kube/paths.ts';
import { openSession, type Session } from '../../src/kube/session.ts';
import { controllerUser, openAudit } from '../rig/audit.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { gateway, httpsListener, listenerSet, makeTeam, type Team } from './team.ts';

type Recorded = KubeObject & { readonly status?: object };

let world: SharedWorld;
let team: Team;
let session: Session;
let kube: Kube;
const began = Date.now();
/** By "Kind/name": what owners are called in this world. */
const uids = new Map<string, string>();

// What Pebble signs lasts for 90 days, too short for a record, and ClusterIssuers would be everybody's: move.test.ts has both.
const isLasting = ({ metadata }: KubeObject) => !/^(acme|cluster)/.test(metadata.name);

async function recorded<T extends KubeObject>({ plural }: Resource<T>): Promise<readonly T[]> {
  const file = join(import.meta.dirname, '../fixtures/cert-manager', `${plural}.json`);
  const all: T[] = JSON.parse(await readFile(file, 'utf8'));
  return all.filter(isLasting);
}

function done<T>(answer: { ok: true; value: T } | { ok: false; problem: { message: string } }): T {
  if (answer.ok) return answer.value;
  throw new Error(answer.problem.message);
}

/** Applied once for the object and once for its status, under the managers that wrote them there. */
async function put<T extends KubeObject>(of: Resource<T>, { status, ...object }: Recorded): Promise<void> {
  const { name, labels = {}, annotations = {}, ownerReferences = [], managedFields = [] } = object.metadata;
  const { namespace } = team;
  const owners = ownerReferences.map((owner) => ({ ...owner, uid: uids.get(`${owner.kind}/${owner.name}`) ?? '' }));
  const metadata = { name, namespace, labels, annotations, ownerReferences: owners };
  const manager = managedFields.find(({ subresource }) => subresource !== 'status')?.manager ?? '';
  const made = done(await kube.apply<KubeObject>(of, { ...object, metadata }, { fieldManager: manager, force: true }));
  uids.set(`${of.kind}/${name}`, made.metadata.uid ?? '');
  if (status === undefined) return;
  const writer = managedFields.findLast(({ subresource }) => subresource === 'status')?.manager ?? '';
  const body = { apiVersion: object.apiVersion, kind: object.kind, metadata: { name, namespace }, status };
  done(
    await session.request({
      method: 'PATCH',
      path: objectPath(of, { namespace, name }, 'status'),
      query: { fieldManager: writer, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body,
    }),
  );
}

const asked = {
  'cert-manager.io/issuer': 'ca',
  'cert-manager.io/private-key-algorithm': 'ECDSA',
  'cert-manager.io/duration': '876000h',
};

function listeners(): readonly KubeObject[] {
  const https = httpsListener('https', 'listener.example.com', { name: 'listener' });
  const set = { name: 'set', hostname: 'set.example.com', secretName: 'set', annotations: asked };
  return [gateway(team.namespace, { annotations: asked, listeners: [https] }), listenerSet(team.namespace, set)];
}

const load = async (of: Resource<KubeObject>) => {
  for (const object of await recorded<KubeObject>(of)) await put<KubeObject>(of, object);
};

beforeAll(async () => {
  world = await sharedWorld();
  team = await makeTeam(world, 'adopted');
  session = await openSession({ environment: {}, kubeconfig: world.kubeconfig });
  kube = kubeClient(session);
  // Secrets first: a Certificate that finds none is issued.
  await load(secrets);
  await load(issuers);
  await team.kubectl.apply(listeners());
  for (const of of [gateways, listenerSets]) {
    for (const { metadata } of await team.all<KubeObject>(of))
      uids.set(`${of.kind}/${metadata.name}`, metadata.uid ?? '');
  }
  await load(certificates);
  await load(certificateRequests);
});
afterAll(async () => {
  await session?.[Symbol.asyncDispose]();
  await team?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

it('every Certificate stays what it was, and Ready', async () => {
  const before = await recorded<Certificate>(certificates);
  const after = await Promise.all(before.map(({ metadata }) => team.ready(metadata.name)));
  expect(after.map(({ status }) => status?.revision)).toEqual(before.map(() => 1));
  expect(after.map(({ spec }) => spec)).toEqual(before.map(({ spec }) => spec));
});

it('nothing is issued, and no Secret written', async () => {
  // Ready after the controller has found its way to the end of what came before.
  const spec = { secretName: 'canary', dnsNames: ['canary.example.com'], issuerRef: { name: 'ca' } };
  const metadata = { name: 'canary', namespace: team.namespace };
  await team.kubectl.apply([{ apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata, spec }]);
  await team.ready('canary');
  const writes = (await openAudit(world.auditLog).writes()).filter(
    (each) => each.user === controllerUser && each.namespace === team.namespace && each.at >= began,
  );
  const issuing = writes.filter(
    ({ resource, name }) => /^(secrets|certificaterequests|orders)/.test(resource) && !name.startsWith('canary'),
  );
  expect(issuing.map(({ verb, resource, name, code }) => `${verb} ${resource} ${name} ${code}`)).toEqual([]);
  expect(await team.all(orders)).toEqual([]);
});

it('every Secret holds what it held, under the manager that wrote it', async () => {
  const view = ({ metadata, type, data }: Secret) => {
    const { name, labels = {}, annotations = {}, managedFields = [] } = metadata;
    return { name, type, data, labels, annotations, managers: managedFields.map(({ manager }) => manager) };
  };
  const before = (await recorded<Secret>(secrets)).map(view);
  const after = (await team.all<Secret>(secrets)).map(view);
  expect(after.filter(({ name }) => name !== 'canary')).toEqual(before);
});
