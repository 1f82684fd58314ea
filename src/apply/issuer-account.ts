// The account of an ACME issuer: its key, from the issuer's Secret or new, and its registration at the CA. Called by issuer.ts, one action at a
// time; what only somebody's change of a Secret can mend is watched for, not asked again.

import { createHash, type KeyObject } from 'node:crypto';
import { register } from '../acme/account.ts';
import type { Issuer } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import type { Reply } from '../api/reply.ts';
import { secrets } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { generateKey, keyToPem } from '../pki/keys.ts';
import type { AccountKeySeen, RegistrationSeen } from '../plan/issuer.ts';
import { secretNamespace } from './issuer-of.ts';
import type { Ports } from './ports.ts';
import { decode } from './secret-content.ts';

/** What this process knows of the issuer's account; a restart knows nothing and need not. */
export interface Held {
  generation: number | undefined;
  key: { readonly seen: AccountKeySeen; readonly key?: KeyObject };
  registration: RegistrationSeen;
  /** Nothing but a change of one of its Secrets helps; whoever wakes the issuer may have made it. */
  waitsForSecret?: true;
}

export const unread: Held['key'] = { seen: { kind: 'unread' } };

export async function loadKey(ports: Ports, issuer: Issuer, held: Held): Promise<KubeProblem | undefined> {
  const namespace = secretNamespace(ports, issuer);
  const read = await ports.accounts.readKey(issuer, namespace);
  if (read.ok && read.value !== undefined) {
    held.key = await keySeen(ports, issuer, read.value);
    return undefined;
  }
  const { privateKeySecretRef, disableAccountKeyGeneration } = issuer.spec.acme ?? {};
  const waits = () => waitForSecret(ports, issuer, held, privateKeySecretRef?.name ?? '');
  if (read.ok) {
    held.key = { seen: { kind: 'absent' } };
    if (disableAccountKeyGeneration === true) waits();
    return undefined;
  }
  if (read.problem.kind === 'kube' && read.problem.problem.kind !== 'forbidden') return read.problem.problem;
  const seen: AccountKeySeen =
    read.problem.kind === 'key'
      ? { kind: 'unusable', message: read.problem.message }
      : { kind: 'forbidden', message: needsGrant(namespace) };
  held.key = { seen };
  waits();
  return undefined;
}

/** Watched by its name from now on: it may carry no label of ours. */
function waitForSecret(ports: Ports, issuer: Issuer, held: Held, name: string): void {
  held.waitsForSecret = true;
  ports.secrets.named(secretNamespace(ports, issuer), name);
}

function needsGrant(namespace: string): string {
  return `Certway may not read Secrets in namespace "${namespace}"; run: certway grant ${namespace} | kubectl apply -f -`;
}

async function keySeen(ports: Ports, issuer: Issuer, key: KeyObject): Promise<Held['key']> {
  const der =
    key.asymmetricKeyType === 'rsa'
      ? key.export({ type: 'pkcs1', format: 'der' })
      : key.export({ type: 'pkcs8', format: 'der' });
  const hash = createHash('sha256').update(der).digest('base64');
  const thumbprint = await ports.accounts.endpoint(issuer).thumbprint(key);
  return { seen: { kind: 'held', hash, thumbprint }, key };
}

export async function makeKey(ports: Ports, issuer: Issuer, held: Held): Promise<KubeProblem | undefined> {
  const key = await generateKey({ algorithm: 'RSA', size: 2048 });
  const { name = '', key: entry = 'tls.key' } = issuer.spec.acme?.privateKeySecretRef ?? {};
  const secret: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      name,
      namespace: secretNamespace(ports, issuer),
      labels: { 'app.kubernetes.io/managed-by': 'cert-manager' },
    },
    data: { [entry]: Buffer.from(keyToPem(key, 'PKCS1')).toString('base64') },
  };
  const created = await ports.kube.create(secrets, secret);
  // Another issuer of the same account was faster: its key counts.
  if (!created.ok && created.problem.kind === 'alreadyExists') return loadKey(ports, issuer, held);
  if (!created.ok) return created.problem;
  held.key = await keySeen(ports, issuer, key);
  held.registration = { kind: 'none' };
  return undefined;
}

export async function registerAccount(ports: Ports, issuer: Issuer, held: Held): Promise<KubeProblem | undefined> {
  const { key } = held.key;
  const { email = '', externalAccountBinding } = issuer.spec.acme ?? {};
  if (key === undefined) return undefined;
  let eab: { readonly keyId: string; readonly macKey: string } | undefined;
  if (externalAccountBinding !== undefined) {
    const macKey = await readMacKey(ports, issuer, externalAccountBinding.keySecretRef);
    if (typeof macKey === 'string') {
      waitForSecret(ports, issuer, held, externalAccountBinding.keySecretRef.name);
      held.registration = { kind: 'blocked', message: macKey };
      return undefined;
    }
    if (!macKey.ok) return macKey.problem;
    eab = { keyId: externalAccountBinding.keyID, macKey: macKey.value };
  }
  const answered = await register({
    endpoint: ports.accounts.endpoint(issuer),
    key,
    ...(email !== '' && { contact: email }),
    ...(eab !== undefined && { eab }),
  });
  const attempts = held.registration.kind === 'problem' ? held.registration.attempts + 1 : 1;
  if (answered.ok) ports.accounts.regain(issuer);
  held.registration = answered.ok
    ? { kind: 'done', url: answered.value.url, email }
    : { kind: 'problem', problem: answered.problem, attempts, at: ports.now() };
  return undefined;
}

/** The key of the external account binding, or the sentence that says what its Secret lacks. */
async function readMacKey(
  ports: Ports,
  issuer: Issuer,
  ref: { readonly name: string; readonly key?: string },
): Promise<Reply<string, KubeProblem> | string> {
  const { name, key = 'secret' } = ref;
  const namespace = secretNamespace(ports, issuer);
  const read = await ports.kube.get(secrets, { namespace, name });
  const secret = `Secret "${namespace}/${name}" of spec.acme.externalAccountBinding`;
  if (!read.ok && read.problem.kind === 'notFound') return `${secret} does not exist; create it.`;
  if (!read.ok && read.problem.kind === 'forbidden') return needsGrant(namespace);
  if (!read.ok) return read;
  const value = decode(read.value, key).trim();
  return value === '' ? `${secret} holds nothing under "${key}".` : { ok: true, value };
}
