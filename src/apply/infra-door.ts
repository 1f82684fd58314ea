// The one way by which Secrets and challenge routes are written: shut in namespaces where the infrastructure half has us hold still, whoever in this
// program wants to write, and it knows what is on its way. Made by main.ts around the client; infra-drain.ts acknowledges by it.

import type { KubeObject } from '../api/meta.ts';
import type { Reply } from '../api/reply.ts';
import { httpRoutes, type Resource, secrets } from '../api/resources.ts';
import { holdIn } from '../infra/contract.ts';
import type { Kube } from '../kube/client.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { contractIn } from './infra-sight.ts';
import type { Stores } from './ports.ts';

export interface InfraDoor {
  readonly kube: Kube;
  /** No write to the namespace is on its way: what the caches say of it is all that this process has done. */
  isQuiet(namespace: string): boolean;
  /** Called when the last write to a namespace has been answered. */
  onQuiet: (namespace: string) => void;
}

export function infraDoor(kube: Kube, stores: Pick<Stores, 'gatewayInfras'>): InfraDoor {
  const underWay = new Map<string, number>();
  const count = (namespace: string, by: 1 | -1) => {
    const left = (underWay.get(namespace) ?? 0) + by;
    if (left > 0) underWay.set(namespace, left);
    else underWay.delete(namespace);
    if (left === 0) door.onQuiet(namespace);
  };
  const through = async <T>(
    of: Resource<KubeObject>,
    namespace: string | undefined,
    write: () => Promise<Reply<T, KubeProblem>>,
  ): Promise<Reply<T, KubeProblem>> => {
    const what = namespace === undefined ? 'other' : guarded(of);
    if (namespace === undefined || what === 'other') return write();
    // Looked at and counted in one go: whoever finds the namespace quiet after its state has changed is right for good.
    const hold = holdIn(contractIn(stores), namespace);
    const isShut = hold?.kind === 'draining' || (hold?.kind === 'pending' && what === 'secret');
    if (isShut) return { ok: false, problem: { kind: 'contested', message: hold.message } };
    count(namespace, 1);
    try {
      return await write();
    } finally {
      // The writer notes what it wrote in its cache first.
      setImmediate(() => count(namespace, -1));
    }
  };
  const door: InfraDoor = {
    kube: {
      // Each verb by name: one that is added to Kube must be thought of here.
      get: kube.get,
      getWhole: kube.getWhole,
      list: kube.list,
      create: (of, object) => through(of, object.metadata.namespace, () => kube.create(of, object)),
      replace: (of, object) => through(of, object.metadata.namespace, () => kube.replace(of, object)),
      replaceStatus: kube.replaceStatus,
      apply: (of, object, options) => through(of, object.metadata.namespace, () => kube.apply(of, object, options)),
      // A route that goes is what draining waits for.
      delete: (of, ref, only) =>
        guarded(of) === 'secret'
          ? through(of, ref.namespace, () => kube.delete(of, ref, only))
          : kube.delete(of, ref, only),
    },
    isQuiet: (namespace) => !underWay.has(namespace),
    onQuiet: () => undefined,
  };
  return door;
}

function guarded({ group, plural }: Resource<KubeObject>): 'secret' | 'route' | 'other' {
  if (group === secrets.group && plural === secrets.plural) return 'secret';
  return group === httpRoutes.group && plural === httpRoutes.plural ? 'route' : 'other';
}
