// Performs the steps of an account key's rollover as plan/rollover.ts orders them. The next key is durable before the CA hears of it, and the Secret holds
// both until the CA is known to have changed. Called by issuer.ts.

import { findAccount } from '../acme/account.ts';
import { changeKey } from '../acme/key-change.ts';
import { readChallengeAt } from '../acme/order.ts';
import type { AcmeSession } from '../acme/session.ts';
import type { Issuer } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import type { Reply } from '../api/reply.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { CaProblem } from '../order/ca.ts';
import { kindOfKey } from '../pki/keys.ts';
import type { NextKeySeen } from '../plan/issuer-seen.ts';
import { accountKey, type KeySecret, type KeyWrite, keyPlace, type NextKey, writeKeySecret } from './account-key.ts';
import { longestValidationMs } from './account-traffic.ts';
import { accountId } from './accounts.ts';
import { failedAgain, type Held, reread, sharers } from './issuer-held.ts';
import { issuerKey, issuerOf, secretNamespace } from './issuer-of.ts';
import { isUnfinished } from './order-object.ts';
import type { Ports } from './ports.ts';

/** Between two looks at what is still under way. */
const drainMs = 500;
/** Replicas learn of the new thumbprint by their watches; validations wait for them. */
const replicaLagMs = 2_000;

type Written = Promise<KubeProblem | undefined>;

/** Why the key in this Secret is not rolled over, as a sentence. */
export function obstacleTo(ports: Ports, issuer: Issuer, held: Held): string | undefined {
  const secret = `Secret "${secretNamespace(ports, issuer)}/${keyPlace(issuer).name}"`;
  const keeper = held.key.kind === 'read' ? held.key.secret.keeper : undefined;
  if (keeper !== undefined)
    return `${secret} is written by ${keeper}, which would put the old key back; change it there.`;
  const server = issuer.spec.acme?.server;
  const stranger = sharers(ports, issuer).find(({ spec }) => spec.acme?.server !== server);
  if (stranger === undefined) return undefined;
  return `${secret} also holds the account key of ${issuerKey(stranger)} at another CA; give one of them a Secret of its own.`;
}

export async function makeNextKey(ports: Ports, issuer: Issuer, held: Held): Written {
  if (held.key.kind !== 'read') return undefined;
  const { secret } = held.key;
  const directory = await ports.accounts.endpoint(issuer).directory();
  if (!directory.ok) return failed(ports, held, directory.problem);
  if (directory.value.keyChange === undefined) return failed(ports, held, cannotChange);
  const kind = kindOfKey(secret.current.key);
  const next = { ...(await accountKey(await ports.keys(kind ?? {}))), by: issuerKey(issuer) };
  const problem = await writeSecret(ports, issuer, held, { ...kept(secret), next });
  // Nobody but this process has seen it, so the CA cannot know it.
  if (problem === undefined) stand(ports, issuer, held, next, 'unused');
  return problem;
}

/** RFC 8555 §7.3.1: a key that has an account is answered with it. */
export async function askNextKey(ports: Ports, issuer: Issuer, held: Held): Promise<undefined> {
  const next = nextOf(held);
  if (next === undefined) return undefined;
  const found = await findAccount({ endpoint: ports.accounts.endpoint(issuer), key: next.key });
  if (found.ok) {
    const url = found.value?.url;
    const standing = url === undefined ? 'unused' : url === issuer.status?.acme?.uri ? 'inForce' : 'foreign';
    return stand(ports, issuer, held, next, standing);
  }
  // A closed account is still found by the key that it was closed with; what that means is seen at the registration.
  if (isAboutAccount(found.problem)) return stand(ports, issuer, held, next, 'inForce');
  return failed(ports, held, found.problem);
}

/** Stops what is signed with the old key, and looks whether the CA still checks anything against its thumbprint. */
export async function drain(ports: Ports, issuer: Issuer, held: Held, leadingSince: number): Promise<undefined> {
  const session = oldSession(ports, issuer, held);
  if (session === undefined) return undefined;
  const { traffic } = ports.accounts;
  const account = idOf(ports, issuer);
  held.paused = account;
  traffic.pause(account);
  await Promise.all(
    traffic.underWay(account).challenges.map(async (url) => {
      const read = await readChallengeAt(session, url);
      const isOver = read.ok ? /^(in)?valid$/.test(read.value.resource.status) : read.problem.kind === 'refused';
      if (isOver) traffic.settle(account, url);
    }),
  );
  const { requests, challenges } = traffic.underWay(account);
  const now = ports.now();
  const isUnsure = now - leadingSince < longestValidationMs && hasPlacedOrders(ports, account);
  const isQuiet = requests === 0 && challenges.length === 0 && !isUnsure;
  held.traffic = isQuiet ? { kind: 'quiet' } : { kind: 'draining', lookAt: now + drainMs };
}

/** Orders that another process may have had validated a moment ago. */
function hasPlacedOrders(ports: Ports, account: string): boolean {
  for (const order of ports.stores.orders.list()) {
    const isPlaced = isUnfinished(order) && order.status?.url !== undefined;
    const issuer = isPlaced ? issuerOf(ports, order) : undefined;
    if (issuer !== undefined && idOf(ports, issuer) === account) return true;
  }
  return false;
}

export async function changeAccountKey(ports: Ports, issuer: Issuer, held: Held): Promise<undefined> {
  const session = oldSession(ports, issuer, held);
  const next = nextOf(held);
  if (session === undefined || next === undefined) return undefined;
  const reply = await changeKey(session, next.key);
  if (!reply.ok && isAboutAccount(reply.problem)) {
    ports.accounts.lose(issuer);
    return stand(ports, issuer, held, next, 'foreign');
  }
  failed(ports, held, reply.ok ? notSo : reply.problem);
  if (!reply.ok && !mayHaveChanged(reply.problem)) return flow(ports, issuer, held);
  // A good answer is asked after as well: the old key is about to be thrown away.
  stand(ports, issuer, held, next, 'unknown');
  return askNextKey(ports, issuer, held);
}

/** From now on the Secret holds the new key alone; its account is known without asking again. */
export async function swapKey(ports: Ports, issuer: Issuer, held: Held, asked: string): Written {
  const next = nextOf(held);
  if (held.key.kind !== 'read' || next === undefined) return undefined;
  const { secret } = held.key;
  const done = asked === '' ? {} : { rolledOver: asked };
  const problem = await writeSecret(ports, issuer, held, { ...kept(secret), current: next, ...done });
  if (problem !== undefined) return problem;
  const { uri = '', lastRegisteredEmail = '' } = issuer.status?.acme ?? {};
  held.registration = { kind: 'done', url: uri, email: lastRegisteredEmail };
  held.traffic = { kind: 'quiet' };
  delete held.rolloverFailure;
  return undefined;
}

export async function dropNextKey(ports: Ports, issuer: Issuer, held: Held): Written {
  if (held.key.kind !== 'read') return undefined;
  const problem = await writeSecret(ports, issuer, held, kept(held.key.secret));
  if (problem === undefined) flow(ports, issuer, held);
  return problem;
}

/** Everything about the new key stands: orders go on with it. */
export function resume(ports: Ports, issuer: Issuer, held: Held): undefined {
  ports.accounts.renew(idOf(ports, issuer), ports.now() + replicaLagMs);
  held.traffic = { kind: 'flowing' };
  delete held.paused;
}

/** The issuer has gone to another CA, key or account in the midst of a rollover: what it paused belongs to others from now on. */
export function releaseFormer(ports: Ports, issuer: Issuer, held: Held): void {
  if (held.paused === undefined || held.paused === idOf(ports, issuer)) return;
  ports.accounts.renew(held.paused, ports.now());
  held.traffic = { kind: 'flowing' };
  delete held.paused;
}

/** The old key stays in use. Whoever paused the account may be gone: an issuer that shared it. */
function flow(ports: Ports, issuer: Issuer, held: Held): undefined {
  const account = idOf(ports, issuer);
  ports.accounts.renew(account, ports.now());
  held.traffic = { kind: 'flowing' };
  delete held.paused;
  if (nextOf(held) !== undefined) ports.accounts.trust(account);
}

function stand(ports: Ports, issuer: Issuer, held: Held, next: NextKey, of: NextKeySeen['standing']): undefined {
  held.standing = { hash: next.hash, of };
  if (of === 'unused' && held.rolloverFailure !== undefined) flow(ports, issuer, held);
  else if (of === 'unused') ports.accounts.trust(idOf(ports, issuer));
}

function idOf(ports: Ports, issuer: Issuer): string {
  return accountId(issuer, secretNamespace(ports, issuer));
}

function nextOf({ key }: Held): NextKey | undefined {
  return key.kind === 'read' ? key.secret.next : undefined;
}

/** Past the guard that pauses everybody else. */
function oldSession(ports: Ports, issuer: Issuer, held: Held): AcmeSession | undefined {
  const accountUrl = issuer.status?.acme?.uri;
  if (held.key.kind !== 'read' || accountUrl === undefined) return undefined;
  return { endpoint: ports.accounts.endpoint(issuer), accountUrl, key: held.key.secret.current.key };
}

function kept({ current, rolledOver }: KeySecret): KeyWrite {
  return { current, ...(rolledOver !== undefined && { rolledOver }) };
}

/** The Secret as it stands then; after a conflict it is read anew. */
async function writeSecret(ports: Ports, issuer: Issuer, held: Held, write: KeyWrite): Written {
  if (held.key.kind !== 'read') return undefined;
  const { watched, secret } = held.key;
  const at = { namespace: secretNamespace(ports, issuer), resourceVersion: secret.resourceVersion };
  const written: Reply<Secret, KubeProblem> = await writeKeySecret(ports.kube, issuer, at, write);
  if (!written.ok && written.problem.kind === 'conflict') held.key = reread(held.key);
  if (!written.ok) return written.problem;
  const { resourceVersion = '' } = written.value.metadata;
  held.key = { kind: 'read', watched, secret: { ...write, resourceVersion } };
  return undefined;
}

function failed(ports: Ports, held: Held, problem: CaProblem): undefined {
  held.rolloverFailure = failedAgain(held.rolloverFailure, problem, ports.now());
}

function isAboutAccount(problem: CaProblem): boolean {
  return problem.kind === 'refused' && (problem.type === 'accountDoesNotExist' || problem.type === 'unauthorized');
}

function mayHaveChanged(problem: CaProblem): boolean {
  switch (problem.kind) {
    case 'network':
      return problem.sent === 'maybe';
    case 'unavailable':
    case 'malformed':
      return true;
    case 'refused':
      // RFC 8555 §7.3.5: the key has an account already; this one, if an earlier answer was lost.
      return problem.status === 409;
    case 'rateLimited':
      return false;
    default:
      return problem satisfies never;
  }
}

/** What it comes to where the CA, asked afterwards, does not know the account by the new key. */
const notSo: CaProblem = {
  kind: 'malformed',
  detail: 'The CA said yes to a new account key and goes on with the old one.',
};

const cannotChange: CaProblem = {
  kind: 'refused',
  status: 0,
  type: 'unsupported',
  detail: 'The CA’s directory names no keyChange: its accounts keep their keys.',
};
