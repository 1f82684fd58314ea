// Decides what `certway status` answers: the way from listener to Secret as a tree, what could not be seen, and one sentence that says what is
// missing and who can fix it. Pure: fetched objects and a time in, a view out. Called by status.ts.

import { certificateNodes } from './status-asked.ts';
import { type Problem, sentenceFor } from './status-blame.ts';
import { judge } from './status-judge.ts';
import { listenerNodes } from './status-listeners.ts';
import { moment, type StatusView, type ViewNode } from './status-node.ts';
import type { Many, Sight, StatusScene, Surroundings } from './status-scene.ts';

/** `now` is in epoch ms. */
export function statusView(scene: StatusScene, now: number): StatusView {
  const { asked, subject, around, options } = scene;
  if (subject.kind === 'unseen' || around === undefined) return unseenView(scene);
  const owner =
    subject.kind === 'listeners' ? subject.object : subject.owner?.kind === 'seen' ? subject.owner.value : undefined;
  const judgement = owner === undefined ? undefined : judge(owner, around, options);
  const tree =
    subject.kind === 'listeners' && judgement !== undefined
      ? listenerNodes({ owner: subject.object, judgement, around, now })
      : subject.kind === 'certificate'
        ? certificateNodes(subject, judgement, around, now)
        : [];
  const unseen = [...new Set([...hiddenIn(around), ...(judgement?.assumed ?? [])])];
  return { object: asked, tree, unseen, verdict: verdictOf(tree, now) };
}

function unseenView({ asked, subject }: StatusScene): StatusView {
  const { kind, namespace, name } = asked;
  const place = `${kind} ${namespace}/${name}`;
  const node = { what: kind, name };
  const view = (mark: ViewNode['mark'], says: string, problem: Problem): StatusView => {
    const tree = [{ ...node, mark, says, problem }];
    return { object: asked, tree, unseen: [], verdict: verdictOf(tree, 0) };
  };
  const sight = subject.kind === 'unseen' ? subject.sight : { kind: 'absent' as const, what: 'object' as const };
  if (sight.kind === 'hidden') {
    if (sight.cause === 'forbidden') {
      return view('hidden', sight.why, { key: place, who: 'platform owner', sentence: sight.why });
    }
    const sentence = `${sight.why}; check the kubeconfig and the way to the API server`;
    return view('hidden', sight.why, { key: place, who: 'developer', sentence });
  }
  if (sight.what === 'kind') {
    const sentence = `this cluster does not know the kind ${kind}; have its CRD installed`;
    return view('bad', sentence, { key: place, who: 'platform owner', sentence });
  }
  const sentence = `${place} does not exist; create it, or correct the name or the namespace`;
  return view('bad', 'does not exist', { key: place, who: 'developer', sentence });
}

/** Everything that the user was refused, each once; a listing of one namespace makes up for that of all. */
function hiddenIn(around: Surroundings): readonly string[] {
  const { gateway, labels, certificates, requests, orders, routes, issuers, clusterIssuers } = around;
  const sights: readonly (Sight<unknown> | Many<unknown> | undefined)[] = [
    ...[gateway, around.sets, labels, certificates, requests, orders, routes, issuers, clusterIssuers],
    ...around.secrets.values(),
  ];
  return sights.flatMap((sight) => (sight?.kind === 'hidden' ? [sight.why] : []));
}

function verdictOf(tree: readonly ViewNode[], now: number): StatusView['verdict'] {
  const problems = new Map<string, Problem>();
  const nodes = flat(tree);
  for (const { problem } of nodes)
    if (problem !== undefined && !problems.has(problem.key)) problems.set(problem.key, problem);
  const all = [...problems.values()];
  // What somebody can mend comes before what only time does.
  const first = all.find(({ who }) => who !== 'nobody') ?? all[0];
  if (first === undefined) return { state: 'good', who: 'nobody', sentence: goodSentence(nodes, now) };
  const more = all.length === 1 ? '' : ` (and ${all.length - 1} more above)`;
  return { state: 'missing', who: first.who, sentence: `${sentenceFor(first)}${more}.` };
}

function flat(nodes: readonly ViewNode[]): readonly ViewNode[] {
  return nodes.flatMap((node) => [node, ...flat(node.under ?? [])]);
}

function goodSentence(nodes: readonly ViewNode[], now: number): string {
  const renewals = nodes.flatMap(({ times }) =>
    times?.renewalTime === undefined ? [] : [Date.parse(times.renewalTime)],
  );
  if (renewals.length === 0) return 'Nothing is missing: no listener here asks for a certificate.';
  const when = moment(Math.min(...renewals), now);
  return renewals.length === 1
    ? `Nothing is missing: it renews on ${when}.`
    : `Nothing is missing: the next renewal is on ${when}.`;
}
