// Walks the HTTP-01 paths of an order's names: before it is placed by probes, afterwards by the CA's own tokens. What is met becomes the fact that the
// order's machine waits on, in the words that help most. Called by prove.ts, outside the queue.

import type { Order } from '../api/order.ts';
import type { OrderFact } from '../order/state.ts';
import { nextPreflight } from '../solve/next-preflight.ts';
import { type PreflightProblem, preflight, reachableAt } from '../solve/preflight.ts';
import { challengeRoute } from '../solve/route.ts';
import { routeVerdict } from '../solve/route-verdict.ts';
import { checkPath } from '../solve/self-check.ts';
import { addressesOf } from './challenge-parent.ts';
import type { Ports } from './ports.ts';
import type { OpenPath } from './way.ts';

export interface HostPath {
  readonly host: string;
  readonly path: OpenPath;
}

export interface Walk {
  readonly ports: Pick<Ports, 'stores' | 'settings' | 'log' | 'now'>;
  readonly order: Order;
  /** Of the account that orders. */
  readonly thumbprint: string;
  /** Walks of this order in a row that failed. */
  readonly tried: number;
  readonly signal: AbortSignal;
}

/** With the routes up and the intent recorded, before the CA hears of the order. */
export async function walkBefore(walk: Walk, hosts: readonly HostPath[]): Promise<OrderFact> {
  const { ports, thumbprint, signal } = walk;
  const walked = await Promise.all(
    hosts.map(async ({ host, path }): Promise<Met | undefined> => {
      const gatewayAddresses = addressesOf(ports, path);
      const found = await preflight({ host, thumbprint, gatewayAddresses, signal, ...ports.settings.selfCheck });
      if (!found.ok) return { host, path, problem: found.problem };
      const { warning } = found.value;
      if (warning !== undefined)
        ports.log.debug({ namespace: walk.order.metadata.namespace, warning }, 'a name leads elsewhere');
      return undefined;
    }),
  );
  return outcome(walk, walked) ?? { kind: 'cleared', walked: true };
}

/** With the CA's tokens recorded, before it is told to look. */
export async function walkAfter(
  walk: Walk,
  hosts: readonly (HostPath & { readonly token: string })[],
): Promise<OrderFact> {
  const { ports, thumbprint, signal } = walk;
  const { addressCheck, nameservers, port } = ports.settings.selfCheck;
  const walked = await Promise.all(
    hosts.map(async ({ host, path, token }): Promise<Met | undefined> => {
      // Where DNS is not to be asked, the Gateway says itself where it is.
      const known = addressCheck === 'off' ? await reachableAt(addressesOf(ports, path), nameservers, signal) : [];
      const expected = `${token}.${thumbprint}`;
      const via = known.length > 0 ? { via: known } : {};
      const found = await checkPath({ host, token, expected, nameservers, port, signal, ...via });
      return found.ok ? undefined : { host, path, problem: found.problem };
    }),
  );
  return outcome(walk, walked) ?? { kind: 'done' };
}

interface Met extends HostPath {
  readonly problem: PreflightProblem;
}

/** The first name's problem is told; the next look waits for the one that takes longest to mend. */
function outcome(walk: Walk, walked: readonly (Met | undefined)[]): OrderFact | undefined {
  const met = walked.filter((each) => each !== undefined);
  const [first] = met;
  if (first === undefined) return undefined;
  const now = walk.ports.now();
  const until = Math.max(...met.map(({ problem }) => nextPreflight(problem, walk.tried + 1, now)));
  return { kind: 'unreachable', message: explained(walk, first), until };
}

/** Where a data plane has refused the route, that is why nobody answers; where none has spoken for long, that may be. */
function explained({ ports, order }: Walk, { host, path, problem }: Met): string {
  const { kind, message } = problem;
  if (kind !== 'body' && kind !== 'connect' && kind !== 'timeout') return message;
  const { namespace = '', name, uid = '' } = order.metadata;
  const { parentRefs, labels } = path;
  const owner = { apiVersion: order.apiVersion, kind: order.kind, name, uid };
  const wanted = challengeRoute({ host, parentRefs, namespace, service: ports.settings.solverService, owner, labels });
  const route = ports.stores.routes.get(`${namespace}/${wanted.metadata.name}`);
  if (route === undefined) return message;
  const verdict = routeVerdict(route, parentRefs, ports.now());
  switch (verdict.kind) {
    case 'accepted':
      return message;
    case 'refused':
      return verdict.message;
    case 'pending':
      return verdict.message === undefined ? message : `${message} ${verdict.message}`;
    default:
      return verdict satisfies never;
  }
}
