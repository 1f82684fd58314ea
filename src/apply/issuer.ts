// One reconcile of one Issuer or ClusterIssuer: observe, plan, perform, until the plan rests. Called by the work queue in main.ts.

import type { Issuer } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import { clusterIssuers, issuers } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { type IssuerAction, planIssuer, type Readiness, type SignerSeen } from '../plan/issuer.ts';
import { refOf } from '../plan/object-ref.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { type Held, loadKey, makeKey, registerAccount, unread } from './issuer-account.ts';
import { afterProblem } from './outcome.ts';
import type { Ports } from './ports.ts';
import type { Signers } from './signers.ts';

/** The reconcile function for keys "Issuer/namespace/name" and "ClusterIssuer/name". */
export function issuerReconciler(ports: Ports, signers: Signers): (key: string) => Promise<Outcome> {
  const held = new Map<string, Held>();
  return async (key) => {
    if (held.get(key)?.waitsForSecret === true) held.delete(key);
    for (let count = 0; count < 10; count++) {
      const issuer = find(ports, key);
      if (issuer === undefined) {
        held.delete(key);
        return { kind: 'settled' };
      }
      const mine = held.get(key) ?? { generation: undefined, key: unread, registration: { kind: 'none' } };
      if (
        mine.generation !== issuer.metadata.generation ||
        (ports.accounts.isLost(issuer) && mine.registration.kind === 'done')
      ) {
        // The spec decides which key, which address and which directory: start over.
        Object.assign(mine, { generation: issuer.metadata.generation, key: unread, registration: { kind: 'none' } });
      }
      held.set(key, mine);
      const signer = issuer.spec.ca === undefined ? undefined : await signers(ports, issuer);
      if (signer?.kind === 'waiting') return { kind: 'settled' };
      const action = planIssuer(
        {
          issuer,
          ...(signer !== undefined && { signer: signer satisfies SignerSeen }),
          accountKey: mine.key.seen,
          account: ports.accounts.isLost(issuer) ? 'lost' : 'asTold',
          registration: mine.registration,
        },
        ports.now(),
      );
      if (action.kind === 'rest') {
        return action.revisitAt === undefined ? { kind: 'settled' } : { kind: 'revisit', at: action.revisitAt };
      }
      const problem = await perform(ports, issuer, mine, action);
      if (problem !== undefined) return afterProblem(problem, ports.now());
    }
    return { kind: 'retry', why: 'ten actions without coming to rest' };
  };
}

function find(ports: Ports, key: string): Issuer | undefined {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  return key.startsWith('ClusterIssuer/') ? ports.stores.clusterIssuers.get(name) : ports.stores.issuers.get(name);
}

async function perform(
  ports: Ports,
  issuer: Issuer,
  held: Held,
  action: IssuerAction,
): Promise<KubeProblem | undefined> {
  switch (action.kind) {
    case 'loadKey':
      return loadKey(ports, issuer, held);
    case 'makeKey':
      return makeKey(ports, issuer, held);
    case 'register':
      return registerAccount(ports, issuer, held);
    case 'annotate': {
      const noted = { ...issuer.metadata.annotations, [annotations.accountThumbprint]: action.thumbprint };
      const reply = await ports.kube.replace(resourceOf(issuer), {
        ...issuer,
        metadata: { ...issuer.metadata, annotations: noted },
      });
      return noteIssuer(ports, reply);
    }
    case 'writeStatus': {
      const reply = await ports.kube.replaceStatus(resourceOf(issuer), { ...issuer, status: action.status });
      const problem = noteIssuer(ports, reply);
      if (problem === undefined) await tell(ports, issuer, action.ready);
      return problem;
    }
    case 'rest':
      return undefined;
    default:
      return action satisfies never;
  }
}

function resourceOf(issuer: Issuer) {
  return issuer.metadata.namespace === undefined ? clusterIssuers : issuers;
}

function noteIssuer(ports: Ports, reply: Awaited<ReturnType<Ports['kube']['replace']>>): KubeProblem | undefined {
  if (!reply.ok) return reply.problem;
  const issuer = reply.value as Issuer;
  const store = issuer.metadata.namespace === undefined ? ports.stores.clusterIssuers : ports.stores.issuers;
  store.note(issuer);
  return undefined;
}

async function tell(ports: Ports, issuer: Issuer, ready: Readiness): Promise<void> {
  const { kind, metadata } = issuer;
  const type = ready.status === 'True' ? 'Normal' : 'Warning';
  ports.log.info({ kind, name: metadata.name, ready }, 'issuer');
  await ports.recorder.say({ about: refOf(issuer), type, reason: ready.reason, message: ready.message });
}
