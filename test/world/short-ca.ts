// A CA of a team whose own certificate is about to expire, so that what it signs lives for seconds; then the same CA with a long life. Called by the
// renewal tests: the shortest duration that a spec may ask for is an hour.

import { randomBytes } from 'node:crypto';
import { createCsr } from '../../src/pki/csr.ts';
import { generateKey, keyToPem } from '../../src/pki/keys.ts';
import { selfSign } from '../../src/pki/sign.ts';
import { issuerOf } from './spec-scene.ts';
import type { Team } from './team.ts';

export interface ShortCa {
  /** The CA ends at that moment, epoch ms, and with it all that it has signed. */
  readonly end: number;
  /** The same key and name, for a day. */
  prolong(): Promise<void>;
}

/** A CA issuer of that name whose certificate ends after so many ms. */
export async function shortCa(team: Team, name: string, lifeMs: number): Promise<ShortCa> {
  const key = await generateKey({ algorithm: 'ECDSA' });
  const names = { commonName: 'A short CA', dnsNames: [], ipAddresses: [], uris: [], emailAddresses: [] };
  const csr = await createCsr({ key, names, isCA: true });
  const begin = Math.floor(Date.now() / 1000) * 1000;
  const put = async (notAfter: number) => {
    const terms = { csr, key, notBefore: begin - 60_000, notAfter, usages: [], isCA: true, serial: randomBytes(16) };
    const signed = await selfSign(terms);
    if (!signed.ok) throw new Error(signed.problem.message);
    const stringData = { 'tls.crt': signed.value.chainPem, 'tls.key': keyToPem(key, 'PKCS8') };
    const metadata = { name: `${name}-root`, namespace: team.namespace };
    await team.kubectl.apply([{ apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', stringData }]);
  };
  const end = begin + lifeMs;
  await put(end);
  await team.kubectl.apply([issuerOf(team.namespace, name, { ca: { secretName: `${name}-root` } })]);
  return { end, prolong: () => put(begin + 86_400_000) };
}
