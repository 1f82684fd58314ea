// Gathers everything that `certway check` judges, as far as the user may see it. Called by check.ts. It only ever looks: GET and LIST.

import { setTimeout as delay } from 'node:timers/promises';
import type { Lease } from '../api/core.ts';
import { infraName } from '../api/gateway-infra.ts';
import type { KubeObject } from '../api/meta.ts';
import { labels } from '../api/names.ts';
import { certificates, gatewayInfras, leases, type Resource } from '../api/resources.ts';
import { isRecord } from '../kube/received.ts';
import type { Session } from '../kube/session.ts';
import {
  type Binding,
  type CheckScene,
  type Definition,
  gatewayKinds,
  kinds,
  type LeaseSight,
  ourKinds,
  type Policy,
  type PolicyBinding,
  type PolicySight,
  policyNames,
  stampName,
} from './check-scene.ts';
import { type Eyes, eyesOf } from './status-eyes.ts';
import type { Many, Sight } from './status-scene.ts';

const admissionVersion = 'admissionregistration.k8s.io/v1';
const controller = 'certway-controller';

export async function fetchCheck(session: Session, namespace: string): Promise<CheckScene> {
  const eyes = eyesOf(session);
  const versions = [...ourKinds.map(([group]) => `${group}/v1`), ...gatewayKinds.map(([version]) => version)];
  const [served, stamps, definitions, policies, lease, otherLeases, account, clusterBinding, grants, infra, used] =
    await Promise.all([
      Promise.all(versions.map(async (version) => [version, await seeServed(session, version)] as const)),
      seeServed(session, admissionVersion),
      seeDefinitions(eyes),
      Promise.all(policyNames.map((name) => seePolicy(eyes, name, kinds.validating, kinds.validatingBindings))),
      seeLease(eyes, namespace),
      seeOtherLeases(eyes),
      eyes.get<KubeObject>(kinds.serviceAccounts, { namespace, name: controller }),
      eyes.get<Binding>(kinds.clusterRoleBindings, { name: controller }),
      eyes.list<Binding>(kinds.roleBindings, { labelSelector: `${labels.grant}=true` }),
      eyes.get(gatewayInfras, { name: infraName }),
      seeUsed(eyes),
    ]);
  const knowsStamps = stamps.kind === 'seen' && stamps.value.has(kinds.mutating.plural);
  const stamp = knowsStamps ? await seePolicy(eyes, stampName, kinds.mutating, kinds.mutatingBindings) : undefined;
  const facts = { definitions, policies, stamp, lease, otherLeases, account, clusterBinding, grants, infra, used };
  return { server: session.server, namespace, served: new Map(served), ...facts };
}

/** What a version of a group offers, by discovery. */
async function seeServed(session: Session, version: string): Promise<Sight<ReadonlySet<string>>> {
  const reply = await session.request<unknown>({ method: 'GET', path: `/apis/${version}` });
  if (!reply.ok) {
    if (reply.problem.kind === 'notFound') return { kind: 'absent', what: 'kind' };
    const why = `what ${version} offers cannot be read: ${reply.problem.message}`;
    return { kind: 'hidden', cause: 'failed', why };
  }
  const listed = isRecord(reply.value) && Array.isArray(reply.value.resources) ? reply.value.resources : [];
  const names = listed.flatMap((each: unknown) => (isRecord(each) && typeof each.name === 'string' ? [each.name] : []));
  return { kind: 'seen', value: new Set(names) };
}

async function seeDefinitions(eyes: Eyes): Promise<CheckScene['definitions']> {
  const names = [
    ...ourKinds.flatMap(([group, plurals]) => plurals.map((plural) => `${plural}.${group}`)),
    'gateways.gateway.networking.k8s.io',
  ];
  const sights = await Promise.all(
    names.map(async (name) => [name, await eyes.get<Definition>(kinds.definitions, { name })] as const),
  );
  return new Map(sights);
}

async function seePolicy(
  eyes: Eyes,
  name: string,
  policies: Resource<Policy>,
  bindings: Resource<PolicyBinding>,
): Promise<PolicySight> {
  const [policy, binding] = await Promise.all([eyes.get(policies, { name }), eyes.get(bindings, { name })]);
  return { name, policy, binding };
}

async function seeLease(eyes: Eyes, namespace: string): Promise<Sight<LeaseSight>> {
  const ref = { namespace, name: controller };
  const look = () => eyes.get<Lease>(leases, ref);
  const sight = await look();
  return sight.kind === 'seen' ? { kind: 'seen', value: await withLife(sight.value, look) } : sight;
}

/** cert-manager's, wherever it stands; each is looked at again where it seems to have run out. */
async function seeOtherLeases(eyes: Eyes): Promise<Many<LeaseSight>> {
  const listed = await eyes.list<Lease>(leases, { fieldSelector: 'metadata.name=cert-manager-controller' });
  if (listed.kind !== 'seen') return listed;
  const each = listed.value.map((lease) => {
    const { namespace = '', name } = lease.metadata;
    return withLife(lease, () => eyes.get<Lease>(leases, { namespace, name }));
  });
  return { kind: 'seen', value: await Promise.all(each) };
}

const unspecifiedSeconds = 15;
const betweenLooksMs = 500;

/** A time of renewal is the holder's clock; where ours calls it old, only a Lease that does not change for its whole length has run out. */
async function withLife(lease: Lease, look: () => Promise<Sight<Lease>>): Promise<LeaseSight> {
  const { holderIdentity = '', renewTime = '', leaseDurationSeconds = unspecifiedSeconds } = lease.spec ?? {};
  if (holderIdentity === '') return { lease, isAlive: false };
  const lastsMs = leaseDurationSeconds * 1000;
  if (Math.abs(Date.now() - Date.parse(renewTime)) < lastsMs) return { lease, isAlive: true };
  const begun = performance.now();
  while (performance.now() - begun < lastsMs) {
    await delay(betweenLooksMs);
    const again = await look();
    if (again.kind !== 'seen') break;
    const isRenewed = again.value.metadata.resourceVersion !== lease.metadata.resourceVersion;
    if (isRenewed) return { lease: again.value, isAlive: (again.value.spec?.holderIdentity ?? '') !== '' };
  }
  return { lease, isAlive: false };
}

async function seeUsed(eyes: Eyes): Promise<Sight<ReadonlySet<string>>> {
  const listed = await eyes.list(certificates);
  if (listed.kind !== 'seen') return listed;
  return { kind: 'seen', value: new Set(listed.value.map(({ metadata }) => metadata.namespace ?? '')) };
}
