// Writes what the real cert-manager made, managedFields included, to test/fixtures/cert-manager when CERTWAY_RECORD is set: the input of
// test/world/adopted.test.ts. The keys in it were made for this and are worth nothing.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeObject } from '../../src/api/meta.ts';
import type { Team } from '../world/team.ts';

export const fixtures = join(import.meta.dirname, '../fixtures/cert-manager');
const kinds = ['secrets', 'issuers', 'certificates', 'certificaterequests'] as const;

export async function record(team: Team): Promise<void> {
  if (process.env.CERTWAY_RECORD === undefined) return;
  await mkdir(fixtures, { recursive: true });
  for (const kind of kinds) {
    const { items } = await team.kubectl.get<{ items: KubeObject[] }>(
      kind,
      '-n',
      team.namespace,
      '--show-managed-fields',
    );
    // Then `biome check --write test/fixtures`.
    await writeFile(join(fixtures, `${kind}.json`), `${JSON.stringify(items, undefined, 1)}\n`);
  }
}
