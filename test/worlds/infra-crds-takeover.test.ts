// CustomResourceDefinitions that others keep, on a real API server and as the ServiceAccount certway-infra: left to package managers while they
// stand, taken over when they are gone or hand over, and never at the price of anything that objects may be using.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crdDir } from '../rig/fill-crds.ts';
import type { Kubectl } from '../rig/kubectl.ts';
import { until } from '../rig/wait.ts';
import {
  backends,
  type CrdActs,
  crdActs,
  extraField,
  gateways,
  grants,
  ours,
  release,
  sets,
} from './infra-crds-acts.ts';
import { type CrdScene, crd, crdScene, infra, line, type Running, ready } from './infra-crds-scene.ts';

let scene: CrdScene;
let admin: Kubectl;
let acts: CrdActs;
let running: Running;

beforeAll(async () => {
  const [made, directory] = await Promise.all([crdScene(), crdDir()]);
  scene = made;
  admin = scene.admin;
  running = await scene.start(directory);
  acts = crdActs(scene, () => running);
  await admin.apply([infra({ policy: 'Auto' })]);
  await ready(admin, 'ManagedBySelf');
});
afterAll(async () => {
  await running?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
});

describe('what a package manager keeps', () => {
  const operator = 'operators.coreos.com/mesh.operators';
  const olmCrd = (plural: string, kind: string) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.operators.coreos.com` },
    spec: {
      group: 'operators.coreos.com',
      scope: 'Namespaced',
      names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: 'v1alpha1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  });
  const subscription = {
    apiVersion: 'operators.coreos.com/v1alpha1',
    kind: 'Subscription',
    metadata: { name: 'mesh', namespace: 'operators' },
  };

  it('becomes theirs when the Operator Lifecycle Manager marks it: named, and untouched', async () => {
    await admin.apply([
      olmCrd('subscriptions', 'Subscription'),
      olmCrd('installplans', 'InstallPlan'),
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'operators' } },
    ]);
    await until('Subscriptions to be served', () => admin.apply([subscription]).then(() => true));
    await acts.untouched(gateways, async () => {
      await acts.label(gateways, 'olm.managed=true', `${operator}=`);
      await line(admin, gateways, { owner: 'PackageManager', ownerName: 'Subscription operators/mesh' });
      expect((await ready(admin, 'MixedOwnership')).message).toContain(`Subscription operators/mesh: ${gateways}`);
      await acts.patch(gateways, extraField('theirs'));
      await acts.nextRound();
    });
    expect(await acts.fieldsOf(gateways)).toContain('theirs');
  });

  it('stays theirs by an InstallPlan alone', async () => {
    const plan = {
      apiVersion: 'operators.coreos.com/v1alpha1',
      kind: 'InstallPlan',
      metadata: { name: 'install-1', namespace: 'operators', labels: { [operator]: '' } },
    };
    await admin.apply([plan]);
    await acts.nextRound();
    await acts.untouched(gateways, async () => {
      await admin.run(['delete', 'subscriptions.operators.coreos.com', 'mesh', '-n', 'operators']);
      await acts.nextRound();
    });
    await line(admin, gateways, { owner: 'PackageManager', ownerName: 'Subscription operators/mesh' });
  });

  it('is not taken over while that would lose anything: refused with the list', async () => {
    await acts.untouched(gateways, async () => {
      await admin.run(['delete', 'installplans.operators.coreos.com', 'install-1', '-n', 'operators']);
      const told = await ready(admin, 'UnknownManagement', /in v1: \.spec\.theirs/);
      expect(told.message).toContain(`${gateways} is not taken over, since this would be lost`);
      await acts.nextRound();
    });
    expect(await acts.fieldsOf(gateways)).toContain('theirs');
  });

  it('is taken over, by event and with an Event, once nothing would be lost', async () => {
    await acts.patch(gateways, [
      { op: 'remove', path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/theirs' },
      { op: 'remove', path: '/spec/versions/0/additionalPrinterColumns' },
    ]);
    await line(admin, gateways, { owner: 'Certway', established: true });
    await until('our printer columns', async () => {
      const [version] = (await crd(admin, gateways)).spec.versions;
      return version?.additionalPrinterColumns !== undefined;
    });
    await ready(admin, 'ManagedBySelf');
    const events = await until('the Event', async () => {
      const said = await admin.run(['get', 'events', '-A', '--field-selector=reason=CRDTakenOver', '-o', 'name']);
      return said !== '' && said;
    });
    expect(events.trim().split('\n')).toHaveLength(1);
    await acts.label(gateways, 'olm.managed-', `${operator}-`);
  });

  it('is Helm’s by the annotations of a release, until a person hands it over', async () => {
    const release = ['meta.helm.sh/release-name=eg', 'meta.helm.sh/release-namespace=envoy-gateway-system'];
    await admin.run(['annotate', 'crd', backends, ...release]);
    await acts.untouched(backends, async () => {
      await acts.label(backends, 'app.kubernetes.io/managed-by=Helm');
      await line(admin, backends, { owner: 'PackageManager', ownerName: 'Helm release envoy-gateway-system/eg' });
      await acts.nextRound();
    });
    await acts.label(backends, ours);
    await line(admin, backends, { owner: 'Certway' });
    await admin.run(['annotate', 'crd', backends, ...release.map((each) => each.replace(/=.*/, '-'))]);
    await ready(admin, 'ManagedBySelf');
  });
});

describe('a take-over', () => {
  const bare = async (name: string): Promise<void> => {
    await admin.run(['label', 'crd', name, release]);
    await admin.run(['annotate', 'crd', name, 'certway.dev/applied-']);
    await line(admin, name, { owner: 'Unknown' });
  };

  it('never drops a version in which objects may be stored', async () => {
    await bare(grants);
    const { spec } = await crd(admin, grants);
    const [last] = spec.versions;
    const versions = spec.versions.map((each) => ({ ...each, storage: false }));
    const added = { ...last, name: 'v1alpha7', served: true, storage: true };
    await acts.patch(grants, { spec: { versions: [...versions, added] } });
    await until('v1alpha7 to stand in status.storedVersions', async () =>
      (await crd(admin, grants)).status?.storedVersions?.includes('v1alpha7'),
    );
    await acts.label(grants, ours);
    const told = await ready(admin, 'UnknownManagement', /v1alpha7 stands in status\.storedVersions/);
    expect(told.status).toBe('False');
    expect(told.message).toContain('it serves version v1alpha7, ours does not');
    expect((await crd(admin, grants)).spec.versions.map(({ name }) => name)).toContain('v1alpha7');
  });

  it('never drops a conversion', async () => {
    await bare(sets);
    const clientConfig = { url: 'https://converter.example.com/convert' };
    const conversion = { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig } };
    await acts.patch(sets, { spec: { conversion } });
    await acts.patch(sets, [{ op: 'remove', path: '/spec/versions/0/additionalPrinterColumns' }]);
    await acts.label(sets, ours);
    await ready(admin, 'UnknownManagement', /converts between its versions by webhook/);
    expect((await crd(admin, sets)).spec.conversion?.strategy).toBe('Webhook');
    await acts.patch(sets, { spec: { conversion: { strategy: 'None', webhook: null } } });
    await line(admin, sets, { owner: 'Certway' });
  });

  it('goes through when its reasons are gone', async () => {
    const { spec } = await crd(admin, grants);
    const versions = spec.versions.flatMap((each) =>
      each.name === 'v1alpha7' ? [] : [{ ...each, storage: each.name === 'v1beta1' }],
    );
    const withOld = [...versions, { ...spec.versions.at(-1), storage: false }];
    await acts.patch(grants, { spec: { versions: withOld } });
    await admin.run([
      'patch',
      'crd',
      grants,
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"storedVersions":["v1beta1"]}}',
    ]);
    await acts.patch(grants, { spec: { versions } });
    await ready(admin, 'ManagedBySelf');
  });
});

it('has deleted no CRD, and met no bug', async () => {
  const deleted = (await acts.writes()).filter(({ verb }) => verb.startsWith('delete'));
  expect(deleted.filter(({ resource }) => resource === 'customresourcedefinitions')).toEqual([]);
  expect(running.bugs).toEqual([]);
});
