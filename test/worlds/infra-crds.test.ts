// Whose the CustomResourceDefinitions are, on a real API server and as the ServiceAccount certway-infra: installed where there are none, kept as
// they are wanted, let go with their label and taken back with it, as each policy says, and never deleted.

import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GatewayInfra } from '../../src/api/gateway-infra.ts';
import { neededCrds } from '../../src/infra/crd-names.ts';
import { crdDir } from '../rig/fill-crds.ts';
import type { Kubectl } from '../rig/kubectl.ts';
import { until } from '../rig/wait.ts';
import {
  type CrdActs,
  crdActs,
  extraField,
  gateways,
  ours,
  policyName,
  proxies,
  release,
  sets,
} from './infra-crds-acts.ts';
import { type CrdScene, crd, crdScene, infra, line, type Running, ready } from './infra-crds-scene.ts';

let scene: CrdScene;
let admin: Kubectl;
let acts: CrdActs;
let running: Running;
let directory: string;

beforeAll(async () => {
  [scene, directory] = await Promise.all([crdScene(), crdDir()]);
  admin = scene.admin;
  running = await scene.start(directory);
  acts = crdActs(scene, () => running);
});
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
});

describe('where there are none', () => {
  it('says with Ignore that none exists, and creates none', async () => {
    await admin.apply([infra({ policy: 'Ignore' })]);
    const told = await ready(admin, 'NoneExist');
    expect(told.status).toBe('Unknown');
    expect(told.message).toContain('crds.policy is Ignore');
    expect((await acts.writes()).filter(({ resource }) => resource === 'customresourcedefinitions')).toEqual([]);
  });

  it('installs all of them with Auto, owns them, and says so for each', async () => {
    const since = performance.now();
    await admin.apply([infra({ policy: 'Auto' })]);
    const told = await ready(admin, 'ManagedBySelf');
    console.log(`18 CRDs installed and established in ${((performance.now() - since) / 1000).toFixed(1)} s`);
    expect(told.status).toBe('True');
    expect(told.message).toBe(
      'All are established. Certway: 8 of gateway.envoyproxy.io, 10 of gateway.networking.k8s.io.',
    );
    const { status } = await admin.get<GatewayInfra>('gatewayinfra', 'default');
    expect(status?.crds?.map(({ name }) => name)).toEqual(neededCrds);
    expect(new Set(status?.crds?.map(({ owner, established }) => `${owner} ${established}`))).toEqual(
      new Set(['Certway true']),
    );
    expect(status?.crds?.find(({ name }) => name === gateways)).toMatchObject({
      bundleVersion: 'v1.6.1',
      channel: 'standard',
    });
    expect(status?.crds?.find(({ name }) => name === proxies)).toMatchObject({ bundleVersion: 'v1.9.1' });
  });

  it('serves them, without a label that ties them to the GatewayInfra', async () => {
    await admin.run(['get', 'gateways.gateway.networking.k8s.io,envoyproxies.gateway.envoyproxy.io', '-A']);
    const { metadata } = await crd(admin, gateways);
    expect(metadata.labels?.['app.kubernetes.io/managed-by']).toBe('certway-infra');
    expect(metadata.labels?.['certway.dev/infra-uid']).toBeUndefined();
    expect(metadata.ownerReferences).toBeUndefined();
  });

  it('installs the safe-upgrades policy beside them, which holds', async () => {
    await until('the binding', () =>
      admin.run(['get', 'validatingadmissionpolicybinding', policyName]).then(() => true),
    );
    const old = { metadata: { annotations: { 'gateway.networking.k8s.io/bundle-version': 'v1.4.1' } } };
    await until('the policy to be enforced', async () => {
      const said = await acts.patch(sets, old).catch((error: Error) => error.message);
      if (!said.includes('before v1.5.0 is prohibited')) throw new Error(said);
      return true;
    });
  });

  it('writes nothing when there is nothing to write, as a new process neither', async () => {
    await acts.nextRound();
    const before = (await acts.writes()).length;
    await acts.nextRound();
    expect((await acts.writes()).slice(before)).toEqual([]);
    await running[Symbol.asyncDispose]();
    running = await scene.start(directory);
    await until('its first round', () => running.rounds.length > 0);
    await acts.nextRound();
    const since = (await acts.writes()).slice(before);
    expect(since.filter(({ resource }) => resource !== 'gatewayinfras/status')).toEqual([]);
  });
});

describe('a GatewayInfra', () => {
  it.each([
    [{ systemNamespace: 'other' }, /systemNamespace cannot be changed; delete the GatewayInfra/],
    [{ controllerName: 'example.com/other' }, /controllerName cannot be changed/],
  ])('keeps where it is and whose classes it has: %j', async (spec, says) => {
    await expect(admin.apply([{ ...infra(), spec }], '--dry-run=server')).rejects.toThrow(says);
  });
});

describe('what is ours', () => {
  it('is put right after an edit and after a deletion', async () => {
    await acts.patch(proxies, extraField('surprise'));
    await until('the extra field to be gone', async () => !(await acts.fieldsOf(proxies)).includes('surprise'));
    await admin.run(['delete', 'crd', sets]);
    await line(admin, sets, { owner: 'Certway', established: true });
    await ready(admin, 'ManagedBySelf');
  });

  it('keeps what others write beside our fields', async () => {
    await admin.run(['annotate', 'crd', sets, 'example.com/note=kept']);
    await acts.label(sets, 'example.com/team=platform');
    await acts.patch(sets, extraField('surprise'));
    await until('the extra field to be gone', async () => !(await acts.fieldsOf(sets)).includes('surprise'));
    const { metadata } = await crd(admin, sets);
    expect(metadata.annotations?.['example.com/note']).toBe('kept');
    expect(metadata.labels?.['example.com/team']).toBe('platform');
  });

  it('is let go with its label, told as mixed, and left alone from then on', async () => {
    await acts.label(sets, release);
    await line(admin, sets, { owner: 'Unknown' });
    const told = await ready(admin, 'MixedOwnership');
    expect(told.status).toBe('False');
    expect(told.message).toContain(`owner unknown: ${sets}`);
    expect(told.message).toContain('kubectl label crd NAME --overwrite app.kubernetes.io/managed-by=certway-infra');
    await acts.untouched(sets, async () => {
      await acts.patch(sets, extraField('surprise'));
      await acts.nextRound();
    });
  });

  it('is taken back with the label', async () => {
    await acts.label(sets, ours);
    await line(admin, sets, { owner: 'Certway' });
    await until('the extra field to be gone', async () => !(await acts.fieldsOf(sets)).includes('surprise'));
    await ready(admin, 'ManagedBySelf');
  });
});

describe('policies', () => {
  it('Reconcile takes what nobody owns; PreferExisting leaves it and is content', async () => {
    await admin.apply([infra({ policy: 'PreferExisting' })]);
    await acts.label(sets, release);
    await line(admin, sets, { owner: 'Unknown' });
    expect((await ready(admin, 'ManagedBySelf', /owner unknown: 1/)).status).toBe('True');
    await acts.untouched(sets, async () => {
      await acts.patch(sets, [{ op: 'remove', path: '/spec/versions/0/additionalPrinterColumns' }]);
      await acts.nextRound();
    });
    await admin.apply([infra({ policy: 'Reconcile' })]);
    await line(admin, sets, { owner: 'Certway' });
    expect((await crd(admin, sets)).spec.versions[0]?.additionalPrinterColumns).toBeDefined();
  });

  it('protect: false takes our policy away, and one of another is left alone', async () => {
    const gone = (kind: string) => admin.run(['get', kind, policyName, '--ignore-not-found', '-o', 'name']);
    await admin.apply([infra({ policy: 'Auto', protect: false })]);
    await until('the policy to be gone', async () => (await gone('validatingadmissionpolicy')) === '');
    expect(await gone('validatingadmissionpolicybinding')).toBe('');
    const text = await readFile(join(directory, `validatingadmissionpolicy.${policyName}.json`), 'utf8');
    await admin.apply([{ ...JSON.parse(text), metadata: { name: policyName, labels: { from: 'platform' } } }]);
    await acts.untouched(policyName, async () => {
      await admin.apply([infra({ policy: 'Auto', protect: true })]);
      await acts.nextRound();
    });
    await admin.run(['delete', 'validatingadmissionpolicy', policyName]);
    await acts.nextRound();
    await until('ours again', async () => (await gone('validatingadmissionpolicybinding')) !== '');
  });

  it('suspend changes nothing', async () => {
    await admin.run(['patch', 'gatewayinfra', 'default', '--type=merge', '-p', '{"spec":{"suspend":true}}']);
    await acts.untouched(sets, async () => {
      await acts.patch(sets, extraField('surprise'));
      await acts.nextRound();
    });
    await admin.run(['patch', 'gatewayinfra', 'default', '--type=merge', '-p', '{"spec":{"suspend":false}}']);
    await until('the extra field to be gone', async () => !(await acts.fieldsOf(sets)).includes('surprise'));
  });
});

describe('what the API server refuses', () => {
  it('is told in its own words: the safe-upgrades policy against an older bundle', async () => {
    await running[Symbol.asyncDispose]();
    const older = await mkdtemp(join(scene.dir, 'older-'));
    for (const file of await readdir(directory)) {
      const text = await readFile(join(directory, file), 'utf8');
      await writeFile(join(older, file), text.replaceAll('"v1.6.1"', '"v1.4.1"'));
    }
    await admin.run(['delete', 'crd', sets]);
    running = await scene.start(older);
    const told = await ready(admin, 'Error', /before v1\.5\.0 is prohibited/);
    expect(told.status).toBe('False');
    expect(told.message).toContain(sets);
    // Those of ours that are newer than what this process brings are left as they are.
    expect(told.message).toContain(`${gateways} is ours, and not updated: it is of release v1.6.1, ours of v1.4.1`);
    expect((await crd(admin, gateways)).metadata.annotations).toMatchObject({
      'gateway.networking.k8s.io/bundle-version': 'v1.6.1',
    });
  });

  it('is done as soon as it may be, and a directory that cannot be read is named', async () => {
    await running[Symbol.asyncDispose]();
    running = await scene.start('/nowhere');
    expect((await ready(admin, 'Error', /crd-dir/)).message).toContain('/nowhere');
    await running[Symbol.asyncDispose]();
    running = await scene.start(directory);
    await ready(admin, 'ManagedBySelf');
  });
});

it('has deleted no CRD, and met no bug', async () => {
  const deleted = (await acts.writes()).filter(({ verb }) => verb.startsWith('delete'));
  expect(deleted.filter(({ resource }) => resource === 'customresourcedefinitions')).toEqual([]);
  expect(running.bugs).toEqual([]);
});
