// What one step of an order's life means for the CA's limits: what it has cost, what it will not cost any more, and what the CA said of them. Pure;
// called by apply/budgets.ts after every step.

import type { CaAuthorization, CaOrder, CaProblem } from './ca.ts';
import type { OrderFact, OrderState } from './state.ts';

export type Spending =
  /** The CA has taken newOrder. */
  | { readonly kind: 'placed' }
  /** It had, when an earlier process asked. */
  | { readonly kind: 'found' }
  /** No earlier process has asked. */
  | { readonly kind: 'unasked' }
  | { readonly kind: 'issued' }
  /** The order is over without a certificate; `identifiers` are the names whose validation failed. */
  | { readonly kind: 'failed'; readonly identifiers: readonly string[] }
  /** The CA has not been asked, and will not be before another admission. */
  | { readonly kind: 'unspent' }
  /** Nobody knows whether the CA has taken newOrder. */
  | { readonly kind: 'unsure' }
  | { readonly kind: 'refused'; readonly problem: CaProblem & { readonly kind: 'rateLimited' | 'unavailable' } };

/** In the order in which they are to be counted; none for most steps. */
export function spendingOf(before: OrderState, fact: OrderFact, after: OrderState): readonly Spending[] {
  switch (fact.kind) {
    case 'order':
      return [
        ...(isUnplaced(before) ? [{ kind: before.kind === 'intended' ? 'found' : 'placed' } as const] : []),
        ...endOf(before, after, failedIn(before, fact.order)),
      ];
    case 'authorizations':
      return endOf(before, after, fact.authorizations.filter(({ status }) => status === 'invalid').map(nameOf));
    case 'certificate':
      return endOf(before, after, []);
    case 'problem':
      return afterProblem(before, fact.problem, after);
    case 'notFound':
      if (before.kind !== 'intended') return endOf(before, after, []);
      return fact.listed ? [{ kind: 'unasked' }, { kind: 'unspent' }] : [{ kind: 'unspent' }];
    case 'unreachable':
      return before.kind === 'intended' ? [{ kind: 'unspent' }] : endOf(before, after, []);
    case 'notReplaceable':
      return [{ kind: 'unspent' }];
    case 'prepared':
      return [];
    case 'done':
    case 'cleared':
    case 'admitted':
    case 'limited':
      return endOf(before, after, []);
    default:
      return fact satisfies never;
  }
}

function isUnplaced({ kind }: OrderState): boolean {
  return kind === 'intended' || kind === 'cleared';
}

/** While its names were being proven it was one of them, and where the CA does not say which, it may have been any. */
function failedIn({ kind }: OrderState, { status, error, identifiers }: CaOrder): readonly string[] {
  if (status !== 'invalid' || kind === 'ready' || kind === 'finalizing') return [];
  const named = (error?.subproblems ?? []).flatMap(({ identifier }) => identifier?.value ?? []);
  return named.length > 0 ? named : identifiers.map(({ value }) => value);
}

function nameOf({ identifier, wildcard }: CaAuthorization): string {
  return `${wildcard ? '*.' : ''}${identifier.value}`;
}

function endOf(before: OrderState, after: OrderState, identifiers: readonly string[]): readonly Spending[] {
  if (before.kind === after.kind) return [];
  if (after.kind === 'issued') return [{ kind: 'issued' }];
  return after.kind === 'failed' ? [{ kind: 'failed', identifiers }] : [];
}

function afterProblem(before: OrderState, problem: CaProblem, after: OrderState): readonly Spending[] {
  const isPlacing = before.kind === 'cleared';
  switch (problem.kind) {
    case 'rateLimited':
      return [{ kind: 'refused', problem }, ...(isPlacing ? [{ kind: 'unspent' } as const] : [])];
    case 'unavailable': {
      const refused = problem.status === 503 ? [{ kind: 'refused', problem } as const] : [];
      return [...refused, ...(isPlacing ? [{ kind: 'unsure' } as const] : [])];
    }
    case 'network':
      if (isPlacing) return [{ kind: problem.sent === 'maybe' ? 'unsure' : 'unspent' }];
      return endOf(before, after, []);
    case 'malformed':
      return isPlacing ? [{ kind: 'unsure' }] : endOf(before, after, []);
    case 'refused':
      return isPlacing ? [{ kind: 'unspent' }] : endOf(before, after, []);
    default:
      return problem satisfies never;
  }
}
