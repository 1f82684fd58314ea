// What loses admission, by whichever change: its Certificate and Secret stay, it says why, nothing is renewed until admission is back.
// And what a data plane's status may do: refuse what stands, at the generation that it has seen; nothing else.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Condition } from '../../src/api/meta.ts';
import { certificates, secrets } from '../../src/api/resources.ts';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { until } from '../rig/wait.ts';
import {
  clusterIssued,
  door,
  edit,
  eventually,
  issuedAnew,
  kinds,
  openIssuer,
  put,
  remove,
  requestUids,
  resourceOf,
  setOf,
  suspendedBecause,
  wanted,
} from './listener-scene.ts';
import { httpsListener, makeTeam, type Team } from './team.ts';

const suspended = 'certway.dev/suspended';

let world: SharedWorld;

beforeAll(async () => {
  world = await sharedWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());

async function unsuspended(team: Team, name: string): Promise<void> {
  await until(
    `${name} to be free again`,
    async () => {
      expect((await team.certificate(name))?.metadata.annotations).not.toHaveProperty([suspended]);
      return true;
    },
    eventually,
  );
}

/** Status as a data plane writes it; what only one kind has is dropped by the other's schema. */
function accepted(status: 'True' | 'False', reason: string, observedGeneration: number) {
  return { conditions: [condition('Accepted', status, reason, observedGeneration)] };
}

function condition(type: string, status: Condition['status'], reason: string, observedGeneration: number) {
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  return { type, status, reason, observedGeneration, lastTransitionTime, message: 'tenant-x/secret-name says so' };
}

describe.each(kinds)('a %s that loses admission', (kind) => {
  it('keeps Certificate and Secret, is not renewed, and goes on when admitted again', async () => {
    await using infra = await makeTeam(world, 'infra');
    await using tenant = await makeTeam(world, 'tenant');
    await using self = await openIssuer(world);
    const labelled = { from: 'Selector', selector: { matchLabels: { admitted: infra.namespace } } };
    const label = (value: string) => tenant.kubectl.run(['label', 'namespace', tenant.namespace, value]);
    const gateways = {
      closes: door(infra.namespace, 'closes', { allowed: { from: 'All' } }),
      labels: door(infra.namespace, 'labels', { allowed: labelled }),
      goes: door(infra.namespace, 'goes', { allowed: { from: 'All' } }),
      vetoes: door(infra.namespace, 'vetoes', { allowed: { from: 'All' } }),
      stays: door(infra.namespace, 'stays', { allowed: { from: 'All' } }),
    };
    const names = ['closes', 'labels', 'goes', 'vetoes', 'stays'] as const;
    await label(`admitted=${infra.namespace}`);
    await put(infra, [
      ...Object.values(gateways),
      ...names.map((name) => {
        const wish = {
          kind,
          name,
          parent: { name, namespace: infra.namespace },
          annotations: clusterIssued(self.name),
        };
        return setOf(tenant.namespace, wish, [
          httpsListener('web', `${name}.${tenant.namespace}.example.com`, { name }),
        ]);
      }),
    ]);
    const before = await Promise.all(names.map((name) => tenant.ready(name, eventually.deadlineMs)));
    const held = await Promise.all(names.map((name) => tenant.secret(name)));

    await edit(
      infra,
      { kind: 'Gateway', name: 'closes' },
      { spec: { allowedListeners: { namespaces: { from: 'None' } } } },
    );
    await label('admitted-');
    await remove(infra, resourceOf.Gateway, 'goes');
    await edit(tenant, { kind, name: 'vetoes' }, { status: accepted('False', 'NotAllowed', 1) }, 'status');
    await suspendedBecause(tenant, 'closes', /allows no listener sets/);
    await suspendedBecause(tenant, 'labels', /by a label that namespace .* does not have/);
    await suspendedBecause(tenant, 'goes', /does not exist/);
    await suspendedBecause(tenant, 'vetoes', /NotAllowed/);
    await tenant.told('closes', /^NotAllowed: /);
    await tenant.told('labels', /^NotAllowed: /);
    await tenant.told('goes', /^ParentNotFound: /);
    expect((await tenant.all(certificates)).map(({ metadata }) => metadata.uid).toSorted()).toEqual(
      before.map(({ metadata }) => metadata.uid).toSorted(),
    );
    expect((await tenant.secret('closes'))?.metadata.uid).toBe(held[0]?.metadata.uid);

    const requests = await Promise.all(names.map((name) => requestUids(tenant, name)));
    await remove(tenant, 'secret', ...names);
    await issuedAnew(tenant, 'stays', held[4]?.metadata.uid);
    await tenant.says('closes', 'Ready', /DoesNotExist/, eventually.deadlineMs);
    expect((await tenant.all(secrets)).map(({ metadata }) => metadata.name)).toEqual(['stays']);
    for (const [index, name] of names.slice(0, 4).entries()) {
      expect(await requestUids(tenant, name)).toEqual(requests[index]);
    }

    await edit(
      infra,
      { kind: 'Gateway', name: 'closes' },
      { spec: { allowedListeners: { namespaces: { from: 'All' } } } },
    );
    await label(`admitted=${infra.namespace}`);
    await put(infra, [gateways.goes]);
    await edit(tenant, { kind, name: 'vetoes' }, { status: accepted('True', 'Accepted', 1) }, 'status');
    for (const [index, name] of names.entries()) {
      await unsuspended(tenant, name);
      await issuedAnew(tenant, name, held[index]?.metadata.uid);
      const certificate = await tenant.ready(name, eventually.deadlineMs);
      expect(certificate.metadata.uid).toBe(before[index]?.metadata.uid);
    }
  });
});

interface Veto {
  readonly name: string;
  readonly status: object;
  readonly says?: RegExp;
}

const entry = (...conditions: readonly object[]) => ({
  listeners: [{ name: 'web', port: 443, attachedRoutes: 0, supportedKinds: [], conditions }],
});

const vetoes: readonly Veto[] = [
  { name: 'not-allowed', status: accepted('False', 'NotAllowed', 1), says: /NotAllowed/ },
  { name: 'parent', status: accepted('False', 'ParentNotAccepted', 1), says: /ParentNotAccepted/ },
  { name: 'conflicted', status: entry(condition('Conflicted', 'True', 'HostnameConflict', 1)), says: /Conflicted/ },
  {
    name: 'protocol',
    status: entry(condition('Accepted', 'False', 'UnsupportedProtocol', 1)),
    says: /UnsupportedProtocol/,
  },
  { name: 'ref', status: entry(condition('ResolvedRefs', 'False', 'RefNotPermitted', 1)), says: /RefNotPermitted/ },
  { name: 'stale-set', status: accepted('False', 'NotAllowed', 0) },
  { name: 'stale-entry', status: entry(condition('Conflicted', 'True', 'HostnameConflict', 0)) },
  { name: 'listeners', status: accepted('False', 'ListenersNotValid', 1) },
  { name: 'programmed', status: { conditions: [condition('Programmed', 'False', 'Invalid', 1)] } },
  { name: 'no-secret', status: entry(condition('ResolvedRefs', 'False', 'InvalidCertificateRef', 1)) },
];

describe.each(kinds)('the status of a %s', (kind) => {
  it('refuses at the generation that it has seen, and is believed in nothing else', async () => {
    await using team = await makeTeam(world, 'veto');
    const set = (name: string, listener: object = {}) =>
      setOf(team.namespace, { kind, name, annotations: clusterIssued('nobody') }, [
        { ...httpsListener('web', `${name}.${team.namespace}.example.com`, { name }), ...listener },
      ]);
    await put(team, [
      door(team.namespace, 'parent', { allowed: { from: 'Same' } }),
      ...vetoes.map(({ name }) => set(name)),
    ]);
    for (const { name } of vetoes) await wanted(team, name, {});
    for (const { name, status } of vetoes) await edit(team, { kind, name }, { status }, 'status');
    await put(team, [set('later')]);
    await wanted(team, 'later', {});
    for (const { name, says } of vetoes) {
      if (says === undefined) continue;
      await suspendedBecause(team, name, says);
      const said = await team.told(name, says);
      expect(said.message).not.toContain('tenant-x');
    }
    const free = vetoes.filter(({ says }) => says === undefined);
    for (const { name } of free) {
      expect((await team.certificate(name))?.metadata.annotations).not.toHaveProperty([suspended]);
      const told = (await team.events(name)).filter(({ reason }) => reason !== 'IssuerNotFound');
      expect(told.map(({ reason }) => reason)).toEqual(['CreateCertificate']);
    }
    // A new generation: what was said about the last one is void.
    await put(
      team,
      vetoes.filter(({ says }) => says !== undefined).map(({ name }) => set(name, { port: 8443 })),
    );
    for (const { name } of vetoes) await unsuspended(team, name);
  });
});
