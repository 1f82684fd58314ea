// The account of an Issuer as its CA sees it, asked with the key that stands in the Issuer's Secret.

import { createPrivateKey } from 'node:crypto';
import { type AcmeAccount, findAccount } from '../../src/acme/account.ts';
import type { AcmeProblem } from '../../src/acme/problem.ts';
import type { AcmeSession } from '../../src/acme/session.ts';
import { openAcme } from '../../src/acme/transport.ts';
import type { Issuer } from '../../src/api/certmanager.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import type { Reply } from '../../src/api/reply.ts';
import { issuers } from '../../src/api/resources.ts';
import { acmeIssuer, type Team } from './team.ts';

export interface Ca {
  readonly directory: string;
  readonly caPem: string;
}

export async function issuerNamed(team: Team, name: string): Promise<Issuer> {
  const found = (await team.all<Issuer>(issuers)).find((each) => each.metadata.name === name);
  if (found === undefined) throw new Error(`no Issuer ${name}`);
  return found;
}

/** With the key in the Secret and the account in the Issuer's status. */
export async function accountSession(team: Team, ca: Ca, name: string): Promise<AcmeSession & AsyncDisposable> {
  const issuer = await issuerNamed(team, name);
  const { name: secretName, key: entry = 'tls.key' } = issuer.spec.acme?.privateKeySecretRef ?? { name: '' };
  const secret = await team.secret(secretName);
  const key = createPrivateKey(Buffer.from(secret?.data?.[entry] ?? '', 'base64'));
  const options = { directoryUrl: ca.directory, caBundle: ca.caPem, skipTlsVerify: false };
  const endpoint = openAcme({ ...options, userAgent: 'certway-test', maxInFlight: 2 });
  const accountUrl = issuer.status?.acme?.uri ?? '';
  return { endpoint, key, accountUrl, [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose]() };
}

/** What the CA knows of the key. */
export async function accountAtCa(
  team: Team,
  ca: Ca,
  name: string,
): Promise<Reply<AcmeAccount | undefined, AcmeProblem>> {
  await using session = await accountSession(team, ca, name);
  return await findAccount(session);
}

/** acmeIssuer with other fields in spec.acme. */
export function issuerLike(team: Team, ca: Ca, name: string, change: object = {}): KubeObject {
  const usual = acmeIssuer(team.namespace, ca, name);
  const spec = 'spec' in usual && typeof usual.spec === 'object' ? usual.spec : {};
  const acme = spec !== null && 'acme' in spec && typeof spec.acme === 'object' ? spec.acme : {};
  return { ...usual, ...{ spec: { acme: { ...acme, ...change } } } };
}
