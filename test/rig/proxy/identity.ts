// The certificate of one fault proxy: from an authority of its own, so that clients trust exactly this proxy and a client
// that was left pointing at the real server is found out.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '../certificates.ts';

export interface Identity {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

export async function makeIdentity(): Promise<Identity> {
  const dir = await mkdtemp(join(tmpdir(), 'certway-proxy-'));
  try {
    const authority = await createAuthority(dir);
    const files = await authority.server('proxy');
    const [certPem, keyPem] = await Promise.all([readFile(files.certificate, 'utf8'), readFile(files.key, 'utf8')]);
    return { caPem: authority.caPem, certPem, keyPem };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
