// Where the Secrets of a stamped Issuer's solvers are looked for: beside the platform's, whatever the tenant puts under their name.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SharedWorld, sharedWorld } from '../rig/shared-world.ts';
import { listening, makeTemplate, registered } from './stamp-scene.ts';
import { makeTeam } from './team.ts';

let world: SharedWorld;

beforeAll(async () => {
  world = await sharedWorld();
});
afterAll(() => world?.[Symbol.asyncDispose]());

describe('the Secrets of a template’s solvers', () => {
  it('are the platform’s: one of the tenant’s own is not read', async () => {
    await using solving = await makeTemplate(world);
    await using carol = await makeTeam(world, 'carol');
    const name = `${solving.name}-token`;
    const token = (namespace: string) => {
      const stringData = { token: 'x'.repeat(40) };
      return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData };
    };
    await solving.set({ solvers: [{ dns01: { cloudflare: { apiTokenSecretRef: { name, key: 'token' } } } }] });
    await carol.kubectl.apply([token(carol.namespace), ...listening(carol, solving.name)]);
    await carol.issuerSays(
      solving.stamped,
      'False',
      new RegExp(`^InvalidSolver: Secret "certway-system/${name}"`),
      60_000,
    );
    await carol.kubectl.apply([token('certway-system')]);
    expect((await registered(carol, solving.stamped)).uri).toMatch(/^https:/);
    await carol.kubectl.run(['delete', 'secret', name, '-n', 'certway-system']);
  });
});
