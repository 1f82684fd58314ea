// Takes down what an order has put up for its proofs, in the order that leaves nothing pointing at what is gone. Called by both reconcilers.

import { challenges } from '../api/resources.ts';
import type { Standing } from '../plan/standing.ts';
import { type Done, onward, stopped, type Task } from './perform.ts';
import { takeDownRoutes } from './perform-route.ts';

export async function withdraw(task: Task, standing: Standing): Promise<Done> {
  const routes = await takeDownRoutes(task, standing.routes);
  return routes.kind === 'stop' ? routes : forgetChallenges(task, standing.challenges);
}

/** Those of the order that the task is about, by name. */
export async function forgetChallenges(task: Task, names: readonly string[]): Promise<Done> {
  const { ports, about } = task;
  const namespace = about.metadata.namespace ?? '';
  for (const name of names) {
    const gone = await ports.kube.delete(challenges, { namespace, name });
    if (!gone.ok && gone.problem.kind !== 'notFound') return stopped(task, 'delete Challenge', gone.problem);
    const known = ports.stores.challenges.get(`${namespace}/${name}`);
    if (known !== undefined) ports.stores.challenges.forget(known);
  }
  return onward;
}
