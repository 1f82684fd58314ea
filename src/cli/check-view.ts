// Decides what `certway check` answers: kinds, policies, controller and rights as a tree, what could not be seen, and one sentence. Pure: fetched
// values in, a view out. Called by check.ts.

import { apiNodes, gatewayNode } from './check-api.ts';
import { issuanceNode, leaseNode, rightsNode } from './check-controller.ts';
import { guardNodes } from './check-guard.ts';
import { infraNodes } from './check-infra.ts';
import type { CheckScene } from './check-scene.ts';
import { type Problem, sentenceFor } from './status-blame.ts';
import type { StatusView, ViewNode } from './status-node.ts';
import type { Sight } from './status-scene.ts';

export interface CheckView extends Omit<StatusView, 'object'> {
  readonly server: string;
}

export function checkView(scene: CheckScene): CheckView {
  const tree = [
    ...apiNodes(scene),
    gatewayNode(scene),
    ...guardNodes(scene),
    leaseNode(scene),
    issuanceNode(scene),
    rightsNode(scene),
    ...infraNodes(scene),
  ];
  const hidden = hiddenIn(scene);
  const unseen = [...new Set(hidden.map(({ why }) => why))];
  const failed = hidden.find(({ cause }) => cause === 'failed');
  return { server: scene.server, tree, unseen, verdict: verdictOf(problemsOf(tree, failed), unseen) };
}

type Hidden = Extract<Sight<never>, { kind: 'hidden' }>;

/** What was refused or could not be asked; of the definitions one stands for all. */
function hiddenIn(scene: CheckScene): readonly Hidden[] {
  const { definitions, served, policies, stamp, lease, otherLeases, account, clusterBinding, grants, infra, used } =
    scene;
  const guards = [...policies, ...(stamp === undefined ? [] : [stamp])].flatMap(({ policy, binding }) => [
    policy,
    binding,
  ]);
  const [definition] = [...definitions.values()].filter(({ kind }) => kind === 'hidden');
  const sights = [
    ...served.values(),
    ...(definition === undefined ? [] : [definition]),
    ...guards,
    ...[lease, otherLeases, account, clusterBinding, grants, infra, used],
  ];
  return sights.flatMap((sight) => (sight.kind === 'hidden' ? [sight] : []));
}

/** The first of each cause. Where the API server could not be asked, that comes before all that it did not say. */
function problemsOf(tree: readonly ViewNode[], failed: Hidden | undefined): readonly Problem[] {
  const problems = new Map<string, Problem>();
  if (failed !== undefined) {
    const sentence = `${failed.why}; check the kubeconfig and the way to the API server`;
    problems.set('way', { key: 'way', who: 'developer', sentence });
  }
  for (const { problem } of flat(tree)) {
    if (problem !== undefined && !problems.has(problem.key)) problems.set(problem.key, problem);
  }
  return [...problems.values()];
}

function verdictOf(problems: readonly Problem[], unseen: readonly string[]): CheckView['verdict'] {
  const [first] = problems;
  if (first !== undefined) {
    const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more above)`;
    return { state: 'missing', who: first.who, sentence: `${sentenceFor(first)}${more}.` };
  }
  const asFar = unseen.length === 0 ? '' : ', as far as you may see';
  return { state: 'good', who: 'nobody', sentence: `The API is ready to be used${asFar}.` };
}

function flat(nodes: readonly ViewNode[]): readonly ViewNode[] {
  return nodes.flatMap((node) => [node, ...flat(node.under ?? [])]);
}
