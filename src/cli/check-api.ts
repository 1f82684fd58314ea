// What `certway check` says of the kinds: whether Certway's own are served and whose their definitions are, and which of the Gateway API there is.
// Pure; called by check-view.ts.

import { conditionOf } from '../plan/conditions.ts';
import { decidingCrd, oursLabel } from '../plan/ownership.ts';
import { listed } from '../resolve/words.ts';
import { type CheckScene, type Definition, gatewayKinds, gatewayVersion, ourKinds } from './check-scene.ts';
import type { ViewNode } from './status-node.ts';
import type { Sight } from './status-scene.ts';

export function apiNodes(scene: CheckScene): readonly ViewNode[] {
  return ourKinds.map(([group, plurals]) => {
    const version = `${group}/v1`;
    const under = plurals.map((plural) => kindNode(scene, group, plural));
    const isWhole = under.every(({ mark }) => mark !== 'bad' && mark !== 'busy');
    return {
      mark: isWhole ? 'good' : 'bad',
      what: 'API',
      name: version,
      says: isWhole ? 'served' : 'not whole',
      under,
    };
  });
}

function kindNode({ served, definitions }: CheckScene, group: string, plural: string): ViewNode {
  const name = `${plural}.${group}`;
  const node = { what: 'CRD', name };
  const definition = definitions.get(name) ?? absent;
  const offered = served.get(`${group}/v1`) ?? absent;
  const isServed = offered.kind === 'seen' && offered.value.has(plural);
  const missing = `CustomResourceDefinition ${name} is missing; apply crds/`;
  if (definition.kind === 'absent') return bad(node, 'missing', missing);
  if (definition.kind === 'hidden') {
    if (isServed) return { ...node, mark: 'good', says: 'served' };
    return offered.kind === 'hidden'
      ? { ...node, mark: 'hidden', says: offered.why }
      : bad(node, 'not served', missing);
  }
  const established = conditionOf(definition.value.status?.conditions, 'Established');
  const names = conditionOf(definition.value.status?.conditions, 'NamesAccepted');
  const obstacle = names?.status === 'False' ? names : established?.status === 'True' ? undefined : established;
  if (obstacle !== undefined || !isServed) {
    const why = obstacle?.message ?? 'the API server does not serve it yet';
    return bad(node, `not established: ${why}`, `CustomResourceDefinition ${name} is not established: ${why}`);
  }
  return { ...node, mark: 'good', says: `established; ${isOurs(definition.value) ? "Certway's" : "not Certway's"}` };
}

const absent = { kind: 'absent', what: 'kind' } as const;

function bad(node: Pick<ViewNode, 'what' | 'name'>, says: string, sentence: string): ViewNode {
  return { ...node, mark: 'bad', says, problem: { key: 'crds', who: 'platform owner', sentence } };
}

function isOurs(definition: Definition): boolean {
  return definition.metadata.labels?.[oursLabel.name] === oursLabel.value;
}

/** Whose the definition is that decides who issues; undefined where it is missing or hidden. */
export function ownerOfCrds({ definitions }: CheckScene): 'ours' | 'foreign' | undefined {
  const sight: Sight<Definition> = definitions.get(decidingCrd) ?? absent;
  if (sight.kind !== 'seen') return undefined;
  return isOurs(sight.value) ? 'ours' : 'foreign';
}

/** Without the Gateway API Certway still serves Certificates, so its absence is no fault. */
export function gatewayNode({ served, definitions }: CheckScene): ViewNode {
  const node = { what: 'Gateway API' };
  const offers = gatewayKinds.flatMap(([version, plurals]) => {
    const sight = served.get(version) ?? absent;
    const there = sight.kind === 'seen' ? plurals.filter((plural) => sight.value.has(plural)) : [];
    return there.length === 0 ? [] : [{ version, there, lacking: plurals.filter((each) => !there.includes(each)) }];
  });
  const hidden = served.get(gatewayVersion);
  if (hidden?.kind === 'hidden') return { ...node, mark: 'hidden', says: hidden.why };
  if (!offers.some(({ version }) => version === gatewayVersion)) {
    return { ...node, mark: 'note', says: 'not installed: Certificates are served, listeners are not' };
  }
  const under = offers.map(({ version, there, lacking }): ViewNode => {
    const without = lacking.length === 0 ? '' : `; no ${listed(lacking)}`;
    return { mark: 'good', what: 'API', name: version, says: `${listed(there)}${without}` };
  });
  return { ...node, mark: 'good', says: bundleOf(definitions), under };
}

function bundleOf(definitions: CheckScene['definitions']): string {
  const sight = definitions.get('gateways.gateway.networking.k8s.io') ?? absent;
  const given = sight.kind === 'seen' ? (sight.value.metadata.annotations ?? {}) : {};
  const version = given['gateway.networking.k8s.io/bundle-version'];
  const channel = given['gateway.networking.k8s.io/channel'];
  if (version === undefined) return 'installed';
  return channel === undefined ? `installed, ${version}` : `installed, ${version}, ${channel} channel`;
}
