// One round over the CustomResourceDefinitions that Envoy Gateway needs: looks at each, does what crd-plan.ts says, and tells who owns it. Runs in
// the queue `crds`, which every change of a CRD, of a Subscription and of the GatewayInfra fills. No CRD is ever deleted.

import type { Crd } from '../api/crd.ts';
import { type GatewayInfra, infraManager } from '../api/gateway-infra.ts';
import type { Reply } from '../api/reply.ts';
import { apiVersion, gatewayInfras, wholeCrds } from '../api/resources.ts';
import { gatewayApiGroup, groupOf, neededCrds } from '../infra/crd-names.ts';
import { ownershipOf } from '../infra/crd-owner.ts';
import { type CrdPolicy, type CrdSeen, type CrdStep, planCrd } from '../infra/crd-plan.ts';
import { type CrdOutcome, type CrdRound, crdLines, crdsReady } from '../infra/crd-report.ts';
import { crdToApply } from '../infra/crd-sight.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { Outcome } from '../queue/work-queue.ts';
import { type CrdBundle, readBundle } from './crd-bundle.ts';
import { type CrdLook, crdLook, type Looked } from './crd-look.ts';
import type { PackageWatch } from './crd-packages.ts';
import type { ProvisionProblem } from './ensure.ts';
import { afterTrouble } from './outcome.ts';
import type { InfraPorts } from './ports.ts';
import { keepSafeUpgrades } from './safe-upgrades.ts';
import type { Trouble } from './status.ts';
import { infraOf } from './stores.ts';

export type CrdPorts = Pick<
  InfraPorts,
  'kube' | 'stores' | 'settled' | 'status' | 'recorder' | 'log' | 'settings' | 'now'
>;

interface Turn {
  readonly ports: CrdPorts;
  readonly look: CrdLook;
  readonly packages: PackageWatch;
  readonly infra: GatewayInfra;
  readonly policy: CrdPolicy;
  readonly bundle: Reply<CrdBundle, string> | undefined;
}

interface Done {
  readonly outcome: CrdOutcome;
  readonly problem?: ProvisionProblem;
}

/** The key is ignored: there is one GatewayInfra. */
export function crdsReconciler(ports: CrdPorts, packages: PackageWatch): (key: string) => Promise<Outcome> {
  const look = crdLook(ports);
  const { crdDir } = ports.settings;
  let bundle: Reply<CrdBundle, string> | undefined;
  return async () => {
    const infra = infraOf(ports.stores);
    if (infra === undefined || infra.metadata.deletionTimestamp !== undefined || infra.spec.suspend === true) {
      return { kind: 'settled' };
    }
    if (crdDir !== undefined && bundle?.ok !== true) bundle = await readBundle(crdDir);
    const policy = infra.spec.crds?.policy ?? 'Auto';
    return round({ ports, look, packages, infra, policy, bundle });
  };
}

async function round(turn: Turn): Promise<Outcome> {
  const { ports, bundle, policy } = turn;
  const brought = bundle?.ok === true ? bundle.value.crds : new Map<string, Crd>();
  const names = [...new Set([...neededCrds, ...brought.keys()])].sort();
  const looks = await Promise.all(names.map((name) => turn.look.at(name, brought.get(name))));
  const blind = names.flatMap((name, at) => (looks[at]?.ok === false ? [problemOf(name, looks[at].problem)] : []));
  // What cannot be read is not decided upon, and the whole picture is told at once.
  if (blind.length > 0) return troubled(turn, blind);
  const done = await Promise.all(
    names.map((name, at) =>
      handle(turn, name, looks[at]?.ok === true ? looks[at].value : undefined, brought.get(name)),
    ),
  );
  const outcomes = done.map(({ outcome }) => outcome);
  const source = sourceOf(bundle);
  const told: CrdRound = { policy, outcomes, ...(source !== undefined && { source }) };
  ports.status.crds(crdLines(told));
  ports.status.condition(crdsReady(told));
  const protection = await protect(turn, outcomes);
  return troubled(turn, [...done.flatMap(({ problem }) => problem ?? []), ...protection], told);
}

async function handle(turn: Turn, name: string, looked: Looked | undefined, brought: Crd | undefined): Promise<Done> {
  const seen = seenAs(turn, name, looked, brought);
  const step = planCrd(seen, turn.policy);
  if (step.kind !== 'apply' || brought === undefined) return { outcome: { seen, step } };
  const answer = await write(turn, step, looked, brought);
  if (!answer.ok) {
    const problem = problemOf(name, answer.problem);
    return { outcome: { seen, step, ...(!isPassing(answer.problem) && { failure: answer.problem.message }) }, problem };
  }
  const after = seenAs(turn, name, turn.look.note(answer.value, brought), brought);
  say(turn, name, step, seen);
  return { outcome: { seen: after, step } };
}

/** Nobody's change is written over: what was made or changed since we looked is a conflict, and the next look decides anew. */
function write(
  { ports: { kube } }: Turn,
  { why }: CrdStep & { readonly kind: 'apply' },
  looked: Looked | undefined,
  brought: Crd,
): Promise<Reply<Crd, KubeProblem>> {
  const wanted = crdToApply(brought);
  if (why === 'missing' || looked === undefined) return kube.create(wholeCrds, wanted);
  const { uid, resourceVersion } = looked.metadata;
  const precise = {
    ...wanted,
    metadata: { ...wanted.metadata, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
  };
  return kube.apply(wholeCrds, precise, { fieldManager: infraManager, force: true });
}

function seenAs({ packages }: Turn, name: string, looked: Looked | undefined, brought: Crd | undefined): CrdSeen {
  if (looked === undefined) return { name, brought: brought !== undefined };
  const ownership = ownershipOf(looked.metadata, packages.packages());
  return { name, brought: brought !== undefined, live: { sight: looked.sight, ownership } };
}

function say(
  { ports, infra }: Turn,
  name: string,
  { why }: CrdStep & { readonly kind: 'apply' },
  { live }: CrdSeen,
): void {
  ports.log.info({ step: 'crds', crd: name, why }, 'applied');
  if (why !== 'takeOver') return;
  const from = live?.ownership.kind === 'Abandoned' ? ` from ${live.ownership.name}, which is gone` : '';
  const { uid } = infra.metadata;
  const about = { apiVersion: apiVersion(gatewayInfras), kind: 'GatewayInfra', name: infra.metadata.name };
  const message = `CustomResourceDefinition ${name} is taken over${from}; Certway updates it from now on.`;
  void ports.recorder.say(
    { about: { ...about, ...(uid !== undefined && { uid }) }, type: 'Normal', reason: 'CRDTakenOver', message },
    { of: name },
  );
}

async function protect({ ports, policy, bundle, infra }: Turn, outcomes: readonly CrdOutcome[]) {
  if (bundle?.ok !== true || bundle.value.policy === undefined || policy === 'Ignore') return [];
  const ours = outcomes.some(
    ({ seen: { name, live } }) => groupOf(name) === gatewayApiGroup && live?.ownership.kind === 'Certway',
  );
  const wished = ours && infra.spec.crds?.protect !== false;
  const want = wished ? ({ kind: 'present' } as const) : ({ kind: 'absent', uid: infra.metadata.uid ?? '' } as const);
  const kept = await keepSafeUpgrades(ports, bundle.value.policy, want);
  return kept.ok ? [] : [kept.problem];
}

/** Tells what holds back, and says when to look again. Without a picture nothing is said of progress. */
function troubled({ ports, infra }: Turn, problems: readonly ProvisionProblem[], told?: CrdRound): Outcome {
  const { status, now } = ports;
  const troubles: Trouble[] = [...problems];
  if (told?.source?.kind === 'unreadable') {
    const { message } = told.source;
    troubles.push({ step: 'crds', object: '--crd-dir', reason: 'DirectoryUnreadable', message: `${message}.` });
  }
  status.trouble('crds', troubles);
  const generation = infra.metadata.generation ?? 0;
  const late = told === undefined ? [] : told.outcomes.filter(({ seen }) => seen.live?.sight.established !== true);
  const waitsFor = `${late.length} CustomResourceDefinitions are missing or not established yet; see CRDsReady.`;
  status.progress('crds', { generation, ...(late.length > 0 && { waitsFor }) });
  const [first] = problems;
  if (first !== undefined) return afterTrouble(first.kube, now());
  // A directory that is mounted late, or filled anew, is no event.
  return told?.source?.kind === 'unreadable' ? { kind: 'retry', why: told.source.message } : { kind: 'settled' };
}

function sourceOf(bundle: Turn['bundle']): CrdRound['source'] {
  if (bundle === undefined) {
    return { kind: 'none', message: 'certway infra runs without --crd-dir, so install them yourself' };
  }
  return bundle.ok ? undefined : { kind: 'unreadable', message: bundle.problem };
}

function problemOf(name: string, kube: KubeProblem): ProvisionProblem {
  return { step: 'crds', object: `CustomResourceDefinition ${name}`, kube };
}

/** Over at the next look: nothing that a person has to know. */
function isPassing({ kind }: KubeProblem): boolean {
  return kind === 'conflict' || kind === 'alreadyExists' || kind === 'notLeader';
}
