import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { madeManifests } from '../rig/manifests.ts';

it.each([...madeManifests()])('%s is what `npm run manifests` writes', async (path, text) => {
  expect(await readFile(join(import.meta.dirname, '../..', path), 'utf8')).toBe(text);
});
