// What infra renders for five inputs, object by object and byte by byte. A wanted change is taken up by
// `vitest run --project pure test/infra/render-golden.test.ts -u`, and read in the diff.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { renderSystem } from '../../src/infra/render-system.ts';
import { nameOf } from '../../src/infra/wanted.ts';
import { renderCases } from './render-inputs.ts';

describe('the system that is rendered', () => {
  it.each(Object.entries(renderCases))('for the input %s is the golden list', async (name, { input }) => {
    const system = renderSystem(input);
    if (!system.ok) throw new Error(system.problem.message);
    const names = system.value.wanted.map(nameOf).map((line) => `# ${line}\n`);
    const objects = system.value.wanted.map(({ object }) =>
      stringify(object, { sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false }),
    );
    await expect(`${names.join('')}---\n${objects.join('---\n')}`).toMatchFileSnapshot(
      join(import.meta.dirname, 'golden', `${name}.yaml`),
    );
  });

  it('is the same whatever the order of the hosting namespaces', () => {
    const { tenants } = renderCases;
    if (tenants === undefined) throw new Error('no such case');
    const hosting = [...tenants.input.hosting].reverse();
    expect(renderSystem({ ...tenants.input, hosting })).toEqual(renderSystem(tenants.input));
  });

  it('carries the two labels of what is ours on every object', () => {
    for (const { input } of Object.values(renderCases)) {
      const system = renderSystem(input);
      const labels = system.ok ? system.value.wanted.map(({ object }) => object.metadata.labels) : [];
      expect(labels.length).toBeGreaterThan(8);
      for (const each of labels) {
        expect(each).toMatchObject({
          'app.kubernetes.io/managed-by': 'certway-infra',
          'certway.dev/infra-uid': input.uid,
        });
      }
    }
  });
});
