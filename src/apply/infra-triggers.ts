// What a change of the GatewayInfra wakes: the namespaces of which it says another thing than before, and what waited for the end of a move. Nothing
// else in the cluster is looked at, however often its status is written. Called by main.ts.

import { infraName } from '../api/gateway-infra.ts';
import { changedNamespaces, type InfraContract, noInfra } from '../infra/contract.ts';
import type { Change } from '../kube/store.ts';
import { keyOf } from '../kube/store.ts';
import type { Logger } from '../report/logger.ts';
import { parentKey } from '../resolve/source.ts';
import { readContract } from './infra-sight.ts';
import { issuerKey } from './issuer-of.ts';
import type { Ports } from './ports.ts';
import type { Queues } from './triggers.ts';

type Wired = Pick<Ports, 'stores' | 'awaitingMove' | 'hurried'> & {
  readonly secrets: Pick<Ports['secrets'], 'granted'>;
  readonly log: Logger;
};

export function wireInfra(ports: Wired, queues: Queues): void {
  ports.stores.gatewayInfras.subscribe((change) => {
    if (change.key !== infraName) return;
    const [before, after] = bothOf(change);
    if (before.move !== undefined && after.move === undefined) endMove(ports);
    const changed = changedNamespaces(before, after);
    for (const namespace of changed) wake(ports, queues, namespace);
    wakeClaims(ports, queues, before, after);
    tell(ports.log, before, after, changed);
  });
}

function bothOf(change: Change<Parameters<typeof readContract>[0] & object>): readonly [InfraContract, InfraContract] {
  if (change.kind === 'removed') return [readContract(change.previous), noInfra];
  return [readContract(change.previous), readContract(change.object)];
}

/** Orders look again at once, and Certificates that have none yet go on. */
function endMove({ awaitingMove, hurried }: Wired): void {
  const waiting = [...awaitingMove.values()];
  awaitingMove.clear();
  for (const { order, wake: resume } of waiting) {
    if (order !== undefined) hurried.add(order);
    resume();
  }
}

function wake({ stores, secrets }: Wired, queues: Queues, namespace: string): void {
  // What was refused before its rights were there is tried again.
  secrets.granted(namespace);
  for (const certificate of stores.certificates.by('namespace', namespace)) queues.certificate(keyOf(certificate));
  for (const request of stores.requests.by('strayNamespace', namespace)) queues.request(keyOf(request));
  for (const issuer of stores.issuers.by('namespace', namespace)) queues.issuer(issuerKey(issuer));
  for (const gateway of stores.gateways.by('namespace', namespace)) queues.gateway(keyOf(gateway));
  for (const sets of [stores.listenerSets, stores.xListenerSets]) {
    for (const set of sets.by('namespace', namespace)) queues.gateway(parentKey(set));
  }
}

/** Those that ask for a Secret whose name infra has taken or given up. */
function wakeClaims({ stores }: Wired, queues: Queues, before: InfraContract, after: InfraContract): void {
  const [old, young] = [before.claimedSecrets, after.claimedSecrets];
  const names = [...[...old].filter((name) => !young.has(name)), ...[...young].filter((name) => !old.has(name))];
  if (names.length === 0) return;
  for (const namespace of after.namespaces.keys()) {
    for (const name of names) {
      for (const each of stores.certificates.by('secretName', `${namespace}/${name}`)) queues.certificate(keyOf(each));
    }
  }
}

/** One line per change of what it asks of us. */
function tell(log: Logger, before: InfraContract, after: InfraContract, changed: readonly string[]): void {
  if (before.presence === 'present' && after.presence === 'absent') {
    log.info('GatewayInfra is gone (InfraAbsent): Certificates and Secrets stay as they are');
  }
  for (const name of changed) {
    log.info({ namespace: name, state: after.namespaces.get(name)?.state ?? 'not listed' }, 'certway infra says');
  }
  if (before.move !== after.move) {
    log.info(after.move === undefined ? 'the move of the Gateways is over' : 'the Gateways are being moved');
  }
  if (after.degraded !== undefined && before.degraded !== after.degraded) {
    log.warn({ degraded: after.degraded }, 'the infrastructure is degraded; certificates go on');
  }
}
