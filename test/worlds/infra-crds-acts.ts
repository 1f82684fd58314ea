// What the tests of CRD ownership do and look at, on a scene of infra-crds-scene.ts.

import { expect } from 'vitest';
import type { Write } from '../rig/audit.ts';
import { until } from '../rig/wait.ts';
import { type CrdScene, crd, type Running } from './infra-crds-scene.ts';

export const [gateways, sets, grants, proxies, backends] = [
  'gateways.gateway.networking.k8s.io',
  'listenersets.gateway.networking.k8s.io',
  'referencegrants.gateway.networking.k8s.io',
  'envoyproxies.gateway.envoyproxy.io',
  'backends.gateway.envoyproxy.io',
] as const;
export const policyName = 'safe-upgrades.gateway.networking.k8s.io';

/** The label by which a CRD is ours, and the argument that takes it off. */
export const ours = 'app.kubernetes.io/managed-by=certway-infra';
export const release = 'app.kubernetes.io/managed-by-';

/** Adds a field to the first version, as somebody's own build of the definition might have it. */
export function extraField(field: string): readonly object[] {
  const path = `/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/${field}`;
  return [{ op: 'add', path, value: { type: 'string' } }];
}

export interface CrdActs {
  label(name: string, ...marks: readonly string[]): Promise<string>;
  /** A list of operations is a JSON patch, an object a merge patch. */
  patch(name: string, change: object): Promise<string>;
  /** Of the first version's spec. */
  fieldsOf(name: string): Promise<readonly string[]>;
  /** By the ServiceAccount under test. */
  writes(): Promise<readonly Write[]>;
  /** Fails when the ServiceAccount has tried to write the object meanwhile. */
  untouched(name: string, act: () => Promise<unknown>): Promise<void>;
  /** Resolves when a round that began after this call has ended: what it did not write, it did not want to write. */
  nextRound(): Promise<void>;
}

export function crdActs({ admin, audit, user }: CrdScene, running: () => Running): CrdActs {
  const writes = async () => (await audit.writes()).filter((write) => write.user === user);
  const writesOf = async (name: string) => (await writes()).filter((write) => write.name === name);
  return {
    label: (name, ...marks) => admin.run(['label', 'crd', name, '--overwrite', ...marks]),
    patch: (name, change) => {
      const type = Array.isArray(change) ? 'json' : 'merge';
      return admin.run(['patch', 'crd', name, `--type=${type}`, '-p', JSON.stringify(change)]);
    },
    fieldsOf: async (name) => {
      const { spec } = await crd(admin, name);
      const schema = spec.versions[0]?.schema?.openAPIV3Schema as { properties: { spec: { properties: object } } };
      return Object.keys(schema.properties.spec.properties);
    },
    writes,
    untouched: async (name, act) => {
      const before = await writesOf(name);
      await act();
      expect(await writesOf(name)).toEqual(before);
    },
    nextRound: async () => {
      // The round that ends after the first poke may have begun before it; the one after the second has not.
      for (const poke of ['once', 'again']) {
        const seen = running().rounds.length;
        const note = `test.certway.dev/poke=${poke}-${seen}-${Date.now()}`;
        await admin.run(['annotate', 'crd', grants, '--overwrite', note]);
        await until('another round', () => running().rounds.length > seen, { deadlineMs: 60_000 });
      }
    },
  };
}
