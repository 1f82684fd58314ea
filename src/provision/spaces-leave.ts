// Takes back what stands in a namespace, step by step in the order of infra/cleanup.ts. The first refusal ends the turn, and what would have been taken
// after it stands until the next: nobody loses a right that is still needed to take the rest away.

import type { CleanupStep } from '../infra/cleanup.ts';
import type { Wanted } from '../infra/wanted.ts';
import { type ProvisionProblem, remove } from './ensure.ts';
import type { SpacePorts } from './spaces.ts';
import { stand } from './spaces-stand.ts';
import { infraOf, isOurs } from './stores.ts';

export type Left =
  | { readonly kind: 'done' }
  /** Something was put right on the way: look anew. */
  | { readonly kind: 'again' }
  | { readonly kind: 'waits'; readonly why: string }
  | { readonly kind: 'failed'; readonly problem: ProvisionProblem };

const done: Left = { kind: 'done' };

export async function leave(ports: SpacePorts, namespace: string, steps: readonly CleanupStep[]): Promise<Left> {
  for (const step of steps) {
    const left = await take(ports, namespace, step);
    if (left.kind !== 'done') return left;
  }
  return done;
}

async function take(ports: SpacePorts, namespace: string, step: CleanupStep): Promise<Left> {
  switch (step.kind) {
    case 'wait':
      // The shared binding is kept under a key of its own.
      ports.wake.space('');
      return { kind: 'waits', why: step.why };
    case 'regain': {
      const stands = await stand(ports, step.object);
      if (!stands.ok) return { kind: 'failed', problem: stands.problem };
      ports.pull.granted(namespace);
      return stands.value.kind === 'foreign' ? { kind: 'waits', why: stands.value.message } : { kind: 'again' };
    }
    case 'copies':
      return withoutCopies(ports, namespace);
    case 'remove':
      return withoutObject(ports, step.object);
    default:
      return step satisfies never;
  }
}

async function withoutObject(ports: SpacePorts, { of, object }: Wanted): Promise<Left> {
  const uid = infraOf(ports.stores)?.metadata.uid ?? '';
  const gone = await remove(ports, of, object.metadata, uid, 'namespace');
  return gone.ok ? done : { kind: 'failed', problem: gone.problem };
}

/** Done when none that is this GatewayInfra's is left, as the account itself sees it. */
async function withoutCopies({ pull, stores }: SpacePorts, namespace: string): Promise<Left> {
  const seen = pull.copies(namespace);
  switch (seen.kind) {
    case 'waiting':
      return { kind: 'waits', why: `Reads which pull Secrets were copied to ${namespace}.` };
    case 'forbidden': {
      pull.granted(namespace);
      return failed(`Secrets of ${namespace}`, seen.message);
    }
    case 'ready':
      for (const copy of seen.copies.filter((each) => isOurs(each, infraOf(stores)?.metadata.uid ?? ''))) {
        const gone = await pull.remove(copy);
        if (!gone.ok) {
          const object = `Secret ${namespace}/${copy.metadata.name}`;
          return { kind: 'failed', problem: { step: 'namespace', object, kube: gone.problem } };
        }
      }
      return done;
    default:
      return seen satisfies never;
  }
}

function failed(object: string, message: string): Left {
  return { kind: 'failed', problem: { step: 'namespace', object, kube: { kind: 'forbidden', message } } };
}
