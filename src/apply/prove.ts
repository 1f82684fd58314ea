// Opens and walks the paths by which an order's names are proven: routes for HTTP-01 (perform-route.ts), records for DNS-01 (records.ts).
// Called by perform-order.ts.

import type { AcmeSession } from '../acme/session.ts';
import type { OrderFact, Proof } from '../order/state.ts';
import { nextPreflight } from '../solve/next-preflight.ts';
import { type PreflightProblem, reachableAt, preflight as walkBefore } from '../solve/preflight.ts';
import { routeVerdict } from '../solve/route-verdict.ts';
import { checkPath } from '../solve/self-check.ts';
import { addressesOf } from './challenge-parent.ts';
import { checkRecords } from './check-records.ts';
import { type Ground, groundOf } from './infra-sight.ts';
import { look } from './look.ts';
import { identifiersOf } from './order-object.ts';
import { fact, type OrderTurn, type Performed } from './order-turn.ts';
import { type HttpPath, putUpRoutes } from './perform-route.ts';
import { longestPresentMs } from './record-limits.ts';
import { foreseeRecords, presentRecords } from './records.ts';
import { wayTo } from './way.ts';

const done: OrderFact = { kind: 'done' };

/** Every path is walked before the CA hears of the order: what cannot be validated costs its owner's scarcest budget. */
export async function preflight(turn: OrderTurn, session: AcmeSession): Promise<Performed> {
  const { ports, request, issuer, order } = turn;
  const found = { hosts: [] as string[], names: [] as string[] };
  let asksForDelay = false;
  for (const { value } of identifiersOf(order)) {
    const way = wayTo(ports, request, issuer, value);
    if ('refusal' in way) return fact({ kind: 'unreachable', reason: 'NoChallengePath', message: way.refusal });
    if ('path' in way) found.hosts.push(value);
    else found.names.push(value);
    asksForDelay ||= 'path' in way && way.path.waitMs !== undefined;
  }
  const { names } = found;
  const hosts = asksForDelay ? [] : found.hosts;
  if (hosts.length === 0 && names.length === 0) return fact({ kind: 'cleared', walked: false });
  const put = await putUpRoutes(turn, hosts);
  if (put.kind !== 'standing') return put;
  const thumbprint = await session.endpoint.thumbprint(session.key);
  const { addressCheck, nameservers, port } = ports.settings.selfCheck;
  const ground = groundOf(ports, request, issuer, hosts);
  const at = `preflight ${order.metadata.uid} ${[...hosts, ...names].join()} ${[...ground.values()].join()}`;
  const looked = await look(turn, at, async (signal) => {
    const walks = put.paths.map(async (path) => {
      const gatewayAddresses = addressesOf(ports, path.path);
      const about = { host: path.host, thumbprint, gatewayAddresses, addressCheck, nameservers, port, signal };
      const walked = await walkBefore(about);
      if (!walked.ok) return astray(turn, path, walked.problem);
      const { warning } = walked.value;
      if (warning !== undefined) ports.log.warn({ order: order.metadata.name, warning }, 'a name leads elsewhere');
      return undefined;
    });
    const met = (await Promise.all([...walks, foreseeRecords(turn, names, within(signal))])).find(isMet);
    return met ?? { kind: 'cleared', walked: hosts.length > 0 };
  });
  return standingOn(turn, ground, looked);
}

/** What answered, answered there: another address wants another look. */
function standingOn({ attempt }: OrderTurn, ground: Ground, looked: Performed): Performed {
  const isAnswer = looked.kind === 'fact' && (looked.fact.kind === 'cleared' || looked.fact.kind === 'done');
  if (isAnswer) attempt.ground = ground;
  return looked;
}

const isMet = (each: OrderFact | undefined) => each !== undefined;

export async function present(turn: OrderTurn, session: AcmeSession, proofs: readonly Proof[]): Promise<Performed> {
  const { ports, attempt, order } = turn;
  const records = proofs.filter(({ type }) => type === 'dns-01');
  const put = await putUpRoutes(turn, hostsOf(proofs));
  if (put.kind !== 'standing') return put;
  attempt.presentedAt ??= ports.now();
  if (records.length === 0) return fact(done);
  const thumbprint = await session.endpoint.thumbprint(session.key);
  const uid = order.metadata.uid ?? '';
  // By the key of its time: what was written for a key that has been rolled over since proves nothing.
  return look(turn, `present ${uid} ${thumbprint}`, async (signal) => {
    ports.presenting.add(uid);
    try {
      return await presentRecords(turn, records, thumbprint, within(signal, longestPresentMs(records.length)));
    } finally {
      ports.presenting.delete(uid);
    }
  });
}

/** The CA is told only of names that answer over the very path that it will take. */
export async function check(turn: OrderTurn, session: AcmeSession, proofs: readonly Proof[]): Promise<Performed> {
  const { ports, order } = turn;
  const records = proofs.filter(({ type }) => type === 'dns-01');
  const delay = delayOf(turn, proofs);
  if (delay.kind === 'running') return fact(delay.fact);
  if (delay.kind === 'over' && records.length === 0) return fact(done);
  const put = await putUpRoutes(turn, delay.kind === 'over' ? [] : hostsOf(proofs));
  if (put.kind !== 'standing') return put;
  const thumbprint = await session.endpoint.thumbprint(session.key);
  const { addressCheck, nameservers, port } = ports.settings.selfCheck;
  const ground = groundOf(ports, turn.request, turn.issuer, hostsOf(proofs));
  const tokens = proofs.map(({ token }) => token).join();
  const at = `check ${order.metadata.uid} ${thumbprint} ${tokens} ${[...ground.values()].join()}`;
  const looked = await look(turn, at, async (signal) => {
    const walks = put.paths.map(async (path) => {
      const { token = '' } = proofs.find(({ type, host }) => type === 'http-01' && host === path.host) ?? {};
      const expected = `${token}.${thumbprint}`;
      // Where DNS is not to be asked, the Gateway is.
      const found = addressCheck === 'off' ? await reachableAt(addressesOf(ports, path.path), nameservers, signal) : [];
      const via = found.length > 0 ? { via: found } : {};
      const walked = await checkPath({ host: path.host, token, expected, nameservers, port, signal, ...via });
      return walked.ok ? undefined : astray(turn, path, walked.problem);
    });
    const found = (await Promise.all(walks)).find((each) => each !== undefined);
    return found ?? checkRecords(turn, records, thumbprint, within(signal));
  });
  return standingOn(turn, ground, looked);
}

/** What the walk met, and what the data planes say of the route where they are the likely reason. */
function astray(turn: OrderTurn, { route, path }: HttpPath, problem: PreflightProblem): OrderFact {
  const { ports, attempt } = turn;
  const now = ports.now();
  const standing = ports.stores.routes.get(`${route.metadata.namespace}/${route.metadata.name}`) ?? route;
  const verdict = routeVerdict(standing, path.parentRefs, now);
  const said = problem.kind !== 'dns' && 'message' in verdict ? verdict.message : undefined;
  const { order } = attempt;
  const tried = order !== undefined && 'wait' in order ? (order.wait?.attempts ?? 0) : 0;
  return {
    kind: 'unreachable',
    message: said === undefined ? problem.message : `${problem.message} ${said}`,
    until: nextPreflight(problem, tried + 1, now),
  };
}

function hostsOf(proofs: readonly Proof[]): readonly string[] {
  return proofs.filter(({ type }) => type === 'http-01').map(({ host }) => host);
}

/** No look goes on for longer, whatever it looks at; writing records does. */
const longestLookMs = 30_000;

function within(signal: AbortSignal, ms = longestLookMs): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(ms)]);
}

type Delay = { readonly kind: 'none' | 'over' } | { readonly kind: 'running'; readonly fact: OrderFact };

/** cert-manager 1.21's waitInsteadOfSelfCheck, for HTTP-01: the path cannot be looked at from here. */
function delayOf({ ports, request, issuer, attempt }: OrderTurn, proofs: readonly Proof[]): Delay {
  const delays = hostsOf(proofs).flatMap((host) => {
    const way = wayTo(ports, request, issuer, host, ['http-01']);
    return 'path' in way && way.path.waitMs !== undefined ? [way.path.waitMs] : [];
  });
  if (delays.length === 0) return { kind: 'none' };
  const until = (attempt.presentedAt ?? ports.now()) + Math.max(...delays);
  if (until <= ports.now()) return { kind: 'over' };
  const message = 'The issuer’s solver asks for a delay instead of a self-check (waitInsteadOfSelfCheck).';
  return { kind: 'running', fact: { kind: 'unreachable', reason: 'WaitInsteadOfSelfCheck', message, until } };
}
