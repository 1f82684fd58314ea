// Opens, walks and closes the paths by which an order's names are proven. HTTP-01 goes by routes (perform-route.ts). Called by perform-order.ts, and by
// both reconcilers when an order is over.

import { randomBytes } from 'node:crypto';
import type { AcmeSession } from '../acme/session.ts';
import type { OrderFact, Proof } from '../order/state.ts';
import { selfCheck } from '../solve/self-check.ts';
import { look } from './look.ts';
import { identifiersOf } from './order-object.ts';
import { fact, type OrderTurn, type Performed } from './order-turn.ts';
import { putUpRoutes } from './perform-route.ts';
import { checkRecords, presentRecords } from './records.ts';
import { wayTo } from './way.ts';

/** Every path is walked before the CA hears of the order. The probe's token is our own: any replica answers for a host with an unfinished Order. */
export async function preflight(turn: OrderTurn, session: AcmeSession): Promise<Performed> {
  const hosts: string[] = [];
  let asksForDelay = false;
  for (const { value } of identifiersOf(turn.order)) {
    const way = wayTo(turn.ports, turn.request, turn.issuer, value);
    if ('refusal' in way) return fact({ kind: 'unreachable', reason: 'NoChallengePath', message: way.refusal });
    if (way.type === 'http-01') hosts.push(value);
    asksForDelay ||= way.type === 'http-01' && way.path.waitMs !== undefined;
  }
  if (hosts.length === 0 || asksForDelay) return fact({ kind: 'cleared', walked: false });
  const blocked = await putUpRoutes(turn, hosts);
  if (blocked !== undefined) return blocked;
  const steps = hosts.map((host) => ({ host, token: randomBytes(24).toString('base64url') }));
  return walk(turn, session, 'preflight', steps);
}

export async function present(turn: OrderTurn, session: AcmeSession, proofs: readonly Proof[]): Promise<Performed> {
  const { ports, attempt, order } = turn;
  const hosts = proofs.filter(({ type }) => type === 'http-01').map(({ host }) => host);
  const records = proofs.filter(({ type }) => type === 'dns-01');
  const blocked = await putUpRoutes(turn, hosts);
  if (blocked !== undefined) return blocked;
  attempt.presentedAt ??= ports.now();
  if (records.length === 0) return fact({ kind: 'done' });
  const thumbprint = await session.endpoint.thumbprint(session.key);
  const uid = order.metadata.uid ?? '';
  return look(turn, `present ${uid}`, async (signal) => {
    ports.presenting.add(uid);
    try {
      return await presentRecords(turn, records, thumbprint, within(signal));
    } finally {
      ports.presenting.delete(uid);
    }
  });
}

/** No look goes on for longer, whatever it looks at. */
const longestLookMs = 30_000;

function within(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(longestLookMs)]);
}

/** The CA is told only of names that answer over the very path that it will take: failures are its scarcest budget. */
export async function check(turn: OrderTurn, session: AcmeSession, proofs: readonly Proof[]): Promise<Performed> {
  const delayed = delayOf(turn, proofs);
  if (delayed !== undefined) return delayed;
  const steps = proofs.filter(({ type }) => type === 'http-01');
  return walk(
    turn,
    session,
    'check',
    steps,
    proofs.filter(({ type }) => type === 'dns-01'),
  );
}

/** cert-manager 1.21's waitInsteadOfSelfCheck: the path cannot be looked at from here. */
function delayOf({ ports, request, issuer, attempt }: OrderTurn, proofs: readonly Proof[]): Performed | undefined {
  const delays = proofs.flatMap(({ host, type }) => {
    const way = type === 'http-01' ? wayTo(ports, request, issuer, host, [type]) : undefined;
    return way !== undefined && 'type' in way && way.type === 'http-01' ? [way.path.waitMs] : [];
  });
  const asked = delays.filter((each) => each !== undefined);
  if (asked.length === 0) return undefined;
  const until = (attempt.presentedAt ?? ports.now()) + Math.max(...asked);
  if (until <= ports.now()) return fact({ kind: 'done' });
  const message = 'The issuer’s solver asks for a delay instead of a self-check (waitInsteadOfSelfCheck).';
  return fact({ kind: 'unreachable', reason: 'WaitInsteadOfSelfCheck', message, until });
}

type Step = Pick<Proof, 'host' | 'token'>;

async function walk(
  turn: OrderTurn,
  session: AcmeSession,
  stage: 'preflight' | 'check',
  steps: readonly Step[],
  records: readonly Proof[] = [],
): Promise<Performed> {
  const { nameservers, port } = turn.ports.settings.selfCheck;
  const thumbprint = await session.endpoint.thumbprint(session.key);
  const at = `${stage} ${turn.order.metadata.uid} ${steps.map(({ host }) => host).join()}`;
  return look(turn, at, async (signal): Promise<OrderFact> => {
    const checks = steps.map(({ host, token }) => {
      const expected = `${token}.${thumbprint}`;
      return selfCheck({ host, token, expected, nameservers, port, signal });
    });
    for (const checked of await Promise.all(checks)) {
      if (!checked.ok) return { kind: 'unreachable', message: checked.problem };
    }
    const seen = await checkRecords(turn, records, thumbprint, within(signal));
    if (seen.kind !== 'done') return seen;
    return stage === 'preflight' ? { kind: 'cleared', walked: true } : { kind: 'done' };
  });
}
