// One reconcile of one Issuer or ClusterIssuer: observe, plan, perform, until the plan rests. Called by the work queue in main.ts.

import type { Issuer } from '../api/certmanager.ts';
import type { Reply } from '../api/reply.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { planIssuer } from '../plan/issuer.ts';
import type { IssuerAction, IssuerSeen, Verdict } from '../plan/issuer-seen.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { closeAccount, loadKey, makeKey, registerAccount, watchedVersion } from './issuer-account.ts';
import { accountKeySeen, type Held, nothingHeld, reread } from './issuer-held.ts';
import { annotate, tellRolledOver, writeIssuerStatus } from './issuer-writes.ts';
import { afterProblem } from './outcome.ts';
import type { Ports } from './ports.ts';
import {
  askNextKey,
  changeAccountKey,
  drain,
  dropNextKey,
  makeNextKey,
  obstacleTo,
  releaseFormer,
  resume,
  swapKey,
} from './rollover.ts';
import type { Signers } from './signers.ts';
import { type SolverSecrets, solverLack } from './solver-secrets.ts';
import { asServed, stampVerdict } from './stamp-served.ts';

/** What other parts of the program know of issuers. */
export interface IssuerParts {
  /** The Secrets of its DNS-01 solvers; none unless told. */
  readonly solverSecrets?: SolverSecrets;
  /** Whether an issuer of a kind of their own can sign; undefined: not one of these. `waiting`: somebody wakes its key. */
  readonly verdict?: (ports: Ports, issuer: Issuer) => Promise<Verdict | 'waiting' | undefined>;
  /** The issuer with that key is gone. */
  readonly forget?: (key: string) => void;
}

const mostActions = 20;

/** The reconcile function for keys "Issuer/namespace/name" and "ClusterIssuer/name". Made by who begins to lead. */
export function issuerReconciler(
  ports: Ports,
  signers: Signers,
  parts: IssuerParts = {},
): (key: string) => Promise<Outcome> {
  const known = new Map<string, Held>();
  const leadingSince = ports.now();
  return async (key) => {
    if (known.get(key)?.waitsForSecret === true) known.delete(key);
    for (let count = 0; count < mostActions; count++) {
      const issuer = find(ports, key);
      if (issuer === undefined) {
        known.delete(key);
        parts.forget?.(key);
        return { kind: 'settled' };
      }
      const held = known.get(key) ?? nothingHeld(issuer.metadata.generation);
      known.set(key, held);
      refresh(ports, issuer, held);
      const seen = await observe(ports, issuer, held, signers, parts);
      if (seen === 'waiting') return { kind: 'settled' };
      if (!seen.ok) return afterProblem(seen.problem, ports.now());
      const action = planIssuer(seen.value, ports.now());
      if (action.kind === 'rest') {
        return action.revisitAt === undefined ? { kind: 'settled' } : { kind: 'revisit', at: action.revisitAt };
      }
      ports.log.debug({ issuer: key, action: action.kind }, 'issuer');
      const problem = await perform(ports, issuer, held, action, leadingSince);
      if (problem !== undefined) return afterProblem(problem, ports.now());
    }
    return { kind: 'retry', why: `${mostActions} actions without coming to rest` };
  };
}

function find(ports: Ports, key: string): Issuer | undefined {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  if (key.startsWith('ClusterIssuer/')) return ports.stores.clusterIssuers.get(name);
  const issuer = ports.stores.issuers.get(name);
  return issuer && asServed(ports, issuer);
}

/** What is known stays so until the spec, the key's Secret or the CA's opinion of the account changes. */
function refresh(ports: Ports, issuer: Issuer, held: Held): void {
  const isRefused = ports.accounts.isLost(issuer) && held.registration.kind === 'done';
  // Another CA than that of the spec may have said it.
  if (held.generation !== issuer.metadata.generation) delete held.standing;
  if (held.generation !== issuer.metadata.generation || isRefused) {
    // The spec decides which key, which address and which directory.
    Object.assign(held, {
      generation: issuer.metadata.generation,
      key: { kind: 'unread' },
      registration: { kind: 'none' },
    });
    delete held.rolloverFailure;
    delete held.closing;
  }
  if (held.registration.kind === 'problem' && ports.budgets.isCalled(issuer)) held.registration = { kind: 'none' };
  releaseFormer(ports, issuer, held);
  if (issuer.spec.acme === undefined || held.key.kind === 'unread') return;
  const version = watchedVersion(ports, issuer);
  if (version === undefined || version === held.key.watched) return;
  const isOwn = held.key.kind === 'read' && version === held.key.secret.resourceVersion;
  held.key = isOwn ? { ...held.key, watched: version } : reread(held.key);
}

async function observe(
  ports: Ports,
  issuer: Issuer,
  held: Held,
  signers: Signers,
  parts: IssuerParts,
): Promise<Reply<IssuerSeen, KubeProblem> | 'waiting'> {
  const signer = issuer.spec.ca === undefined ? undefined : await signers(ports, issuer);
  if (signer?.kind === 'waiting') return 'waiting';
  const verdict = stampVerdict(ports, issuer) ?? (await parts.verdict?.(ports, issuer));
  if (verdict === 'waiting') return 'waiting';
  const lack = await solverLack(ports, issuer, held, parts.solverSecrets?.(issuer) ?? []);
  if (!lack.ok) return lack;
  const obstacle = obstacleTo(ports, issuer, held);
  const { registration, traffic, rolloverFailure: failure, closing } = held;
  return {
    ok: true,
    value: {
      issuer,
      ...(signer !== undefined && { signer }),
      ...(verdict !== undefined && { verdict }),
      ...(lack.value !== undefined && { solverLack: lack.value }),
      accountKey: accountKeySeen(ports, issuer, held),
      account: ports.accounts.isLost(issuer) ? 'lost' : 'asTold',
      registration,
      rollover: { traffic, ...(obstacle !== undefined && { obstacle }), ...(failure !== undefined && { failure }) },
      ...(closing !== undefined && { closing }),
    },
  };
}

async function perform(
  ports: Ports,
  issuer: Issuer,
  held: Held,
  action: IssuerAction,
  leadingSince: number,
): Promise<KubeProblem | undefined> {
  switch (action.kind) {
    case 'loadKey':
      return loadKey(ports, issuer, held);
    case 'makeKey':
      return makeKey(ports, issuer, held);
    case 'register':
      return registerAccount(ports, issuer, held);
    case 'deactivate':
      return closeAccount(ports, issuer, held);
    case 'annotate':
      return annotate(ports, issuer, action);
    case 'writeStatus':
      return writeIssuerStatus(ports, issuer, action);
    case 'makeNextKey':
      return makeNextKey(ports, issuer, held);
    case 'askNextKey':
      return askNextKey(ports, issuer, held);
    case 'drain':
      return drain(ports, issuer, held, leadingSince);
    case 'changeKey':
      return changeAccountKey(ports, issuer, held);
    case 'swapKey':
      return swapKey(ports, issuer, held, action.asked);
    case 'dropNextKey':
      return dropNextKey(ports, issuer, held);
    case 'resume':
      resume(ports, issuer, held);
      return tellRolledOver(ports, issuer);
    case 'rest':
      return undefined;
    default:
      return action satisfies never;
  }
}
