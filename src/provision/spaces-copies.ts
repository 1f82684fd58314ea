// Keeps the copies of pull Secrets in one hosting namespace as their sources are, where the spec asks for any. Called by spaces-provide.ts once the
// account that writes them has its right there.

import type { Secret } from '../api/core.ts';
import { copiesFor, copyChanges } from '../infra/space-copies.ts';
import type { SpaceSeen } from '../infra/space-plan.ts';
import { nameOf, type Wanted } from '../infra/wanted.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { ProvisionProblem } from './ensure.ts';
import type { SpacePorts } from './spaces.ts';
import { isOurs } from './stores.ts';

export interface Kept {
  readonly notes: readonly string[];
  readonly problem?: ProvisionProblem;
  readonly waitsFor?: string;
}

export async function keepCopies(ports: SpacePorts, { namespace, infra, host }: SpaceSeen): Promise<Kept> {
  const names = infra.spec.namespaceResources?.pullSecrets ?? [];
  // Where copies of an earlier spec stand, their right stands too, and the clean-up takes both.
  if (names.length === 0) return { notes: [] };
  const { wanted, notes } = copiesFor(namespace, infra, host, (name) =>
    ports.stores.systemSecrets.get(`${infra.spec.systemNamespace}/${name}`),
  );
  const seen = ports.pull.copies(namespace);
  switch (seen.kind) {
    case 'waiting':
      return { notes, waitsFor: `Reads which pull Secrets stand in ${namespace}.` };
    case 'forbidden':
      ports.pull.granted(namespace);
      return { notes, problem: problemOf(`Secrets of ${namespace}`, { kind: 'forbidden', message: seen.message }) };
    case 'ready': {
      const changes = copyChanges(wanted, seen.copies, new Set(names));
      const old = changes.replace.flatMap(({ object }) =>
        seen.copies.filter(({ metadata }) => metadata.name === object.metadata.name),
      );
      const gone = changes.remove.filter((copy) => isOurs(copy, infra.metadata.uid ?? ''));
      const removed = await removeAll(ports, [...gone, ...old]);
      if (removed !== undefined) return { notes, problem: removed };
      return applyAll(ports, [...changes.apply, ...changes.replace], notes);
    }
    default:
      return seen satisfies never;
  }
}

async function removeAll({ pull }: SpacePorts, copies: readonly Secret[]): Promise<ProvisionProblem | undefined> {
  for (const copy of copies) {
    const gone = await pull.remove(copy);
    if (!gone.ok) return problemOf(`Secret ${copy.metadata.namespace}/${copy.metadata.name}`, gone.problem);
  }
  return undefined;
}

async function applyAll({ pull }: SpacePorts, copies: readonly Wanted[], notes: readonly string[]): Promise<Kept> {
  const taken: string[] = [];
  for (const copy of copies) {
    const applied = await pull.apply(copy);
    if (!applied.ok) return { notes: [...notes, ...taken], problem: problemOf(nameOf(copy), applied.problem) };
    if (applied.value === 'foreign') {
      taken.push(
        `${nameOf(copy)} stands already and is not of certway infra, so it is left as it is; rename or delete it, and the pull Secret is copied.`,
      );
    }
  }
  return { notes: [...notes, ...taken] };
}

function problemOf(object: string, kube: KubeProblem): ProvisionProblem {
  return { step: 'namespace', object, kube };
}
