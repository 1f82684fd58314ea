// The openssl command as a second opinion on what src/pki writes. Called by the specifications in this folder.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs openssl; each `{name}` among the arguments becomes the path of a file with that text. Returns both its streams. */
export function openssl(args: readonly string[], files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'certway-pki-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const resolved = args.map((arg) => arg.replace(/^\{(.+)\}$/, (_, name: string) => join(folder, name)));
    return execFileSync('sh', ['-c', 'exec openssl "$@" 2>&1', 'sh', ...resolved], { encoding: 'utf8' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
