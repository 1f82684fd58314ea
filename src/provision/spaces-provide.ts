// Makes a hosting namespace what it is to be: its objects in order, then the copies of pull Secrets, then takes back what is no longer asked for.
// Called by spaces.ts.

import type { InfraNamespace } from '../api/gateway-infra.ts';
import { writerRole } from '../infra/space-names.ts';
import { notesOn } from '../infra/space-notes.ts';
import { lineOf, type SpacePlan, type SpaceSeen } from '../infra/space-plan.ts';
import type { ProvisionProblem } from './ensure.ts';
import type { SpacePorts, Turn } from './spaces.ts';
import { keepCopies } from './spaces-copies.ts';
import { leave } from './spaces-leave.ts';
import { isDrained } from './spaces-look.ts';
import { stand } from './spaces-stand.ts';
import { sharedSpace } from './triggers.ts';

type Provision = Extract<SpacePlan, { readonly kind: 'provision' }>;

/** What has been found out while making it. */
interface Found {
  /** Whether the certificate half may write there, as far as that is infra's to give. */
  writer: 'stands' | 'missing';
  readonly reasons: string[];
  problem?: ProvisionProblem;
  waitsFor?: string;
  lookAgainAt?: number;
}

export async function provide(ports: SpacePorts, seen: SpaceSeen, plan: Provision): Promise<Turn> {
  const found: Found = { writer: 'stands', reasons: [...notesOn(seen)] };
  await standAll(ports, plan, found);
  if (found.problem === undefined) await copy(ports, seen, found);
  if (found.problem === undefined) await takeBack(ports, seen, plan, found);
  wakeShared(ports, seen);
  if (found.problem === undefined) await heedOldWord(ports, seen, found);
  const { problem, waitsFor, lookAgainAt } = found;
  return {
    line: lineFor(ports, seen, found),
    ...(problem !== undefined && { problem }),
    ...(waitsFor !== undefined && { waitsFor }),
    ...(lookAgainAt !== undefined && { lookAgainAt }),
  };
}

/** In order; what follows a refused one is left. Somebody else's object at one of our names holds back itself alone. */
async function standAll(ports: SpacePorts, { wanted }: Provision, found: Found): Promise<void> {
  let news = false;
  for (const each of wanted) {
    const stands = await stand(ports, each);
    const isThere = stands.ok && stands.value.kind !== 'foreign';
    if (!isThere && each.object.metadata.name === writerRole) found.writer = 'missing';
    if (!stands.ok) {
      found.problem = stands.problem;
      break;
    }
    if (stands.value.kind === 'foreign') found.reasons.push(stands.value.message);
    if (stands.value.kind === 'written') news = true;
  }
  if (!news) return;
  ports.pull.granted(wanted[0]?.object.metadata.namespace ?? '');
  // Envoy Gateway may be told of the namespace now.
  ports.wake.infra();
}

async function copy(ports: SpacePorts, seen: SpaceSeen, found: Found): Promise<void> {
  const kept = await keepCopies(ports, seen);
  found.reasons.push(...kept.notes);
  if (kept.problem !== undefined) found.problem = kept.problem;
  if (kept.waitsFor !== undefined) found.waitsFor = kept.waitsFor;
}

async function takeBack(
  ports: SpacePorts,
  { namespace }: SpaceSeen,
  { after }: Provision,
  found: Found,
): Promise<void> {
  const left = await leave(ports, namespace, after);
  if (left.kind === 'failed') found.problem = left.problem;
  if (left.kind === 'waits') found.waitsFor ??= left.why;
  if (left.kind === 'again') found.lookAgainAt = ports.now();
}

function wakeShared(ports: SpacePorts, { namespace, infra, subjects }: SpaceSeen): void {
  const { clusterRole, serviceAccount } = infra.spec.namespaceResources?.extension ?? {};
  if (clusterRole !== undefined && !subjects.has(`${namespace}/${serviceAccount}`)) ports.wake.space(sharedSpace);
}

/**
 * A word of the certificate half from the last time that the namespace was left must be taken back before it may write again, or it would be believed
 * the next time.
 */
async function heedOldWord(ports: SpacePorts, { namespace, infra }: SpaceSeen, found: Found): Promise<void> {
  if (!isDrained(infra, namespace)) return;
  const partner = await ports.partner();
  if (partner.kind === 'nobody') return;
  const why =
    'Waits for the certificate half to take back that it has left (annotation certway.dev/drained-namespaces).';
  found.reasons.push(why);
  found.waitsFor ??= why;
  found.writer = 'missing';
  if (partner.kind === 'doubtful') found.lookAgainAt = ports.now() + partner.lookAgainMs;
}

/** Whoever may write keeps that right in the status, whatever else fails later. */
function lineFor(ports: SpacePorts, { namespace, host }: SpaceSeen, found: Found): InfraNamespace {
  const { writer, reasons, problem, waitsFor } = found;
  const was = ports.status.namespaces().find(({ name }) => name === namespace)?.state;
  const isWhole = problem === undefined && waitsFor === undefined;
  const stands = writer === 'stands' && (isWhole || was === 'Provisioned');
  const why = [
    ...(problem === undefined ? [] : [`${problem.object}: ${problem.kube.message}`]),
    ...(waitsFor === undefined || reasons.includes(waitsFor) ? [] : [waitsFor]),
    ...reasons,
  ];
  return lineOf(namespace, host, stands ? 'Provisioned' : 'Pending', why);
}
