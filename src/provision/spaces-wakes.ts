// Wakes namespaces for what happens elsewhere: a ListenerSet that its data plane refuses or takes, a class that becomes ours or ceases to be, and Envoy
// Gateway's own roll-out, which those wait for that are being left. Called once by main-infra.ts, beside the triggers of triggers.ts.

import type { ListenerSet } from '../api/gateway.ts';
import type { KubeObject } from '../api/meta.ts';
import { deployments, renderedConfigMaps } from '../api/resources.ts';
import { configName, gatewayName } from '../infra/eg-names.ts';
import type { Change } from '../kube/store.ts';
import { sourceOfListenerSet } from '../resolve/source.ts';
import { objectionToSet } from '../resolve/veto.ts';
import type { InfraPorts } from './ports.ts';
import { renderedStore } from './stores.ts';

type WakePorts = Pick<InfraPorts, 'stores' | 'status' | 'wake'>;

/** Answers what ends it. */
export function wireSpaces(ports: WakePorts): () => void {
  const { stores, wake } = ports;
  const sets = [stores.listenerSets, stores.xListenerSets];
  const ends = [
    ...sets.map((store) =>
      store.subscribe((change) => {
        if (isJudgedAnew(change)) wake.space(objectOf(change).metadata.namespace ?? '');
      }),
    ),
    stores.gatewayClasses.subscribe((change) => {
      for (const { metadata } of stores.gateways.by('class', change.key)) {
        const key = `${metadata.namespace}/${metadata.name}`;
        for (const set of sets.flatMap((store) => store.by('parent', key))) wake.space(set.metadata.namespace ?? '');
      }
    }),
    renderedStore(stores, deployments).subscribe((change) => {
      if (objectOf(change).metadata.name === gatewayName) wakeLeft(ports);
    }),
    renderedStore(stores, renderedConfigMaps).subscribe((change) => {
      if (objectOf(change).metadata.name === configName) wakeLeft(ports);
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** Spec and metadata are triggers.ts's; here is what the data plane has come to say. */
function isJudgedAnew(change: Change<ListenerSet>): boolean {
  if (change.kind === 'removed' || change.previous === undefined) return false;
  const verdict = (set: ListenerSet) => objectionToSet(sourceOfListenerSet(set))?.reason;
  return verdict(change.object) !== verdict(change.previous);
}

/** Those that wait, be it for Envoy Gateway or for something else. */
function wakeLeft({ status, wake }: WakePorts): void {
  for (const { name, state, blockedBy } of status.namespaces()) {
    if (state === 'Draining' || blockedBy !== undefined) wake.space(name);
  }
}

function objectOf<T extends KubeObject>(change: Change<T>): T {
  return change.kind === 'removed' ? change.previous : change.object;
}
