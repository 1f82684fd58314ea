// The account of an ACME issuer: its key, from the issuer's Secret or new, its registration at the CA, and its end. Called by issuer.ts, one action at a
// time; what only somebody's change of a Secret can mend is watched for, not asked again.

import { deactivate, findAccount, keepContact, register } from '../acme/account.ts';
import type { Issuer } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import { secrets } from '../api/resources.ts';
import { holdIn } from '../infra/contract.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { CaProblem } from '../order/ca.ts';
import { keepsSecrets } from '../plan/infra-hold.ts';
import { refOf } from '../plan/object-ref.ts';
import { accountKey, keyPlace, newKeySecret, readKeySecret } from './account-key.ts';
import { contractIn } from './infra-sight.ts';
import { failedAgain, type Held } from './issuer-held.ts';
import { secretNamespace } from './issuer-of.ts';
import type { Ports } from './ports.ts';
import { decode } from './secret-content.ts';

/** What the watch says of the key's Secret: its resourceVersion, `absent`, or undefined while there is no word. */
export function watchedVersion(ports: Ports, issuer: Issuer): string | undefined {
  const namespace = secretNamespace(ports, issuer);
  const { name } = keyPlace(issuer);
  const watch = ports.secrets.named(namespace, name);
  if (watch.kind !== 'ready') return undefined;
  return watch.store.get(`${namespace}/${name}`)?.metadata.resourceVersion ?? 'absent';
}

export async function loadKey(ports: Ports, issuer: Issuer, held: Held): Promise<KubeProblem | undefined> {
  const namespace = secretNamespace(ports, issuer);
  const watched = watchedVersion(ports, issuer) ?? '';
  const read = await readKeySecret(ports.kube, issuer, namespace);
  const before = held.key.kind === 'unread' ? held.key.lastHash : undefined;
  if (read.ok && read.value !== undefined) {
    // Another key has another account.
    if (before !== undefined && before !== read.value.current.hash) held.registration = { kind: 'none' };
    held.key = { kind: 'read', secret: read.value, watched };
    return undefined;
  }
  if (read.ok) {
    held.registration = { kind: 'none' };
    held.key = { kind: 'other', seen: { kind: 'absent' }, watched };
    return undefined;
  }
  if (read.problem.kind === 'key') {
    held.key = { kind: 'other', seen: { kind: 'unusable', message: read.problem.message }, watched };
    return undefined;
  }
  if (read.problem.problem.kind !== 'forbidden') return read.problem.problem;
  held.key = { kind: 'other', seen: { kind: 'forbidden', message: whatLacks(ports, namespace) }, watched };
  held.waitsForSecret = true;
  return undefined;
}

/** A right that is on its way is nobody's to grant. */
function whatLacks({ stores }: Ports, namespace: string): string {
  const hold = holdIn(contractIn(stores), namespace);
  return keepsSecrets(hold) ? hold.message : needsGrant(namespace);
}

function needsGrant(namespace: string): string {
  return `Certway may not read Secrets in namespace "${namespace}"; run: certway grant ${namespace} | kubectl apply -f -`;
}

export async function makeKey(ports: Ports, issuer: Issuer, held: Held): Promise<KubeProblem | undefined> {
  const key = await accountKey(await ports.keys({ algorithm: 'RSA', size: 2048 }));
  const created = await ports.kube.create(secrets, newKeySecret(issuer, secretNamespace(ports, issuer), key));
  // Another issuer of the same account was faster: its key counts.
  if (!created.ok && created.problem.kind === 'alreadyExists') return loadKey(ports, issuer, held);
  if (!created.ok && created.problem.kind === 'contested') {
    const seen = { kind: 'forbidden', message: created.problem.message } as const;
    held.key = { kind: 'other', seen, watched: watchedVersion(ports, issuer) ?? '' };
    held.waitsForSecret = true;
    return undefined;
  }
  if (!created.ok) return created.problem;
  const { resourceVersion = '' } = created.value.metadata;
  held.key = { kind: 'read', secret: { resourceVersion, current: key }, watched: watchedVersion(ports, issuer) ?? '' };
  held.registration = { kind: 'none' };
  return undefined;
}

/** Registers the key or finds its account, and has the CA know the address of the spec. */
export async function registerAccount(ports: Ports, issuer: Issuer, held: Held): Promise<KubeProblem | undefined> {
  if (held.key.kind !== 'read') return undefined;
  const { key } = held.key.secret.current;
  const { email = '', externalAccountBinding } = issuer.spec.acme ?? {};
  const endpoint = ports.accounts.endpoint(issuer);
  const eab = externalAccountBinding && (await readBinding(ports, issuer, externalAccountBinding));
  if (eab !== undefined && typeof eab !== 'string' && !eab.ok) return eab.problem;
  // An account that exists needs no binding any more: whoever has tidied its Secret away shall not be stopped by that.
  const answered =
    typeof eab === 'string'
      ? await findAccount({ endpoint, key })
      : await ports.budgets.account(issuer, {
          make: () =>
            register({ endpoint, key, ...(email !== '' && { contact: email }), ...(eab?.ok && { eab: eab.value }) }),
          find: () => findAccount({ endpoint, key }),
        });
  if (!answered.ok) return refusedAccount(ports, issuer, held, answered.problem);
  if (answered.value === undefined) {
    ports.secrets.named(secretNamespace(ports, issuer), externalAccountBinding?.keySecretRef.name ?? '');
    held.waitsForSecret = true;
    held.registration = { kind: 'blocked', message: typeof eab === 'string' ? eab : '' };
    return undefined;
  }
  const account = answered.value;
  const session = { endpoint, key, accountUrl: account.url };
  const kept = account.isNew ? answered : await keepContact(session, account, email);
  if (!kept.ok) {
    held.registration = { kind: 'problem', step: 'update', ...failedAgain(failureOf(held), kept.problem, ports.now()) };
    return undefined;
  }
  ports.accounts.regain(issuer);
  held.registration = { kind: 'done', url: account.url, email };
  return undefined;
}

function failureOf({ registration }: Held) {
  return registration.kind === 'problem' ? registration : undefined;
}

async function refusedAccount(ports: Ports, issuer: Issuer, held: Held, problem: CaProblem): Promise<undefined> {
  held.registration = (await isClosed(ports, issuer, held, problem))
    ? { kind: 'closed', message: closedMessage(ports, issuer, problem.detail) }
    : { kind: 'problem', step: 'register', ...failedAgain(failureOf(held), problem, ports.now()) };
}

/** A refused binding is `unauthorized` too, as a closed account is: only of an account does the CA say so without a binding. */
async function isClosed(ports: Ports, issuer: Issuer, held: Held, problem: CaProblem): Promise<boolean> {
  if (problem.kind !== 'refused' || problem.type !== 'unauthorized') return false;
  if (issuer.spec.acme?.externalAccountBinding === undefined || held.key.kind !== 'read') return true;
  const { key } = held.key.secret.current;
  const found = await findAccount({ endpoint: ports.accounts.endpoint(issuer), key });
  return !found.ok && found.problem.kind === 'refused' && found.problem.type === 'unauthorized';
}

function closedMessage(ports: Ports, issuer: Issuer, detail: string): string {
  const secret = `Secret "${secretNamespace(ports, issuer)}/${keyPlace(issuer).name}"`;
  const remedy =
    issuer.spec.acme?.disableAccountKeyGeneration === true
      ? `Put the key of another account into ${secret}.`
      : `Delete ${secret} for a new account, or put the key of another one into it.`;
  return `The CA has closed the account: ${detail.replace(/[.\s]*$/, '.')} ${remedy}`;
}

/** RFC 8555 §7.3.6. What it has issued stays valid; the issuer is not Ready until it has another key. */
export async function closeAccount(ports: Ports, issuer: Issuer, held: Held): Promise<KubeProblem | undefined> {
  if (held.key.kind !== 'read') return undefined;
  const { key } = held.key.secret.current;
  const accountUrl = issuer.status?.acme?.uri ?? '';
  const closed = await deactivate({ endpoint: ports.accounts.endpoint(issuer), key, accountUrl });
  const isDone = closed.ok || (closed.problem.kind === 'refused' && closed.problem.type === 'unauthorized');
  if (!closed.ok && !isDone) {
    held.closing = failedAgain(held.closing, closed.problem, ports.now());
    const message = `The account ${accountUrl} was not deactivated: ${closed.problem.detail}`;
    await ports.recorder.say({ about: refOf(issuer), type: 'Warning', reason: 'DeactivationFailed', message });
    return undefined;
  }
  delete held.closing;
  ports.accounts.lose(issuer);
  held.registration = { kind: 'closed', message: closedMessage(ports, issuer, 'It was deactivated as asked.') };
  return undefined;
}

type Binding = NonNullable<NonNullable<Issuer['spec']['acme']>['externalAccountBinding']>;
type ReadBinding = Reply<{ readonly keyId: string; readonly macKey: string }, KubeProblem> | string;

/** The external account binding, or the sentence that says what its Secret lacks. */
async function readBinding(ports: Ports, issuer: Issuer, { keyID, keySecretRef }: Binding): Promise<ReadBinding> {
  const { name, key = 'secret' } = keySecretRef;
  const namespace = secretNamespace(ports, issuer);
  const read = await ports.kube.get(secrets, { namespace, name });
  const secret = `Secret "${namespace}/${name}" of spec.acme.externalAccountBinding`;
  if (!read.ok && read.problem.kind === 'notFound') return `${secret} does not exist; create it.`;
  if (!read.ok && read.problem.kind === 'forbidden') return needsGrant(namespace);
  if (!read.ok) return read;
  const macKey = decode(read.value, key).trim();
  if (macKey === '') return `${secret} holds nothing under "${key}".`;
  return { ok: true, value: { keyId: keyID, macKey } };
}
