// Vitest's global set-up of the project `vault`: builds Vault before any test's time limit runs. The first time takes minutes, later none.

import { buildVault } from './build.ts';

export async function setup(): Promise<void> {
  await buildVault((line) => process.stdout.write(`  vault: ${line}\n`));
}
