// Decides for one admitted object which Certificates its listeners ask for and which are refused: listeners that name one Secret share one
// Certificate of that name. Called by gateway.ts for the Gateway and for each ListenerSet.

import { type Inherited, readShape } from './annotations.ts';
import { annotationsOf, labelsOf, specOf } from './certificate.ts';
import type { IssuerRead } from './issuer.ts';
import { judgeListener, type ListenerVerdict } from './listener.ts';
import { readListenerIssuers } from './listener-issuers.ts';
import type { Shape } from './shape.ts';
import type { Source } from './source.ts';
import type { Objection } from './veto.ts';
import { listed, quoted } from './words.ts';
import type { Refusal, RefusalReason, ResolveOptions, WantedCertificate } from './world.ts';

export interface ObjectCase {
  readonly source: Source;
  /** The object's own, else what it inherits. */
  readonly issuer: IssuerRead;
  readonly inherited: Inherited;
  readonly protocols: ReadonlySet<string>;
  /** What stands against one of its listeners from outside. */
  readonly objection: (index: number) => Objection | undefined;
  readonly options: ResolveOptions;
}

/** A Secret that the object claims; without a Certificate where what is asked for cannot be understood. */
export interface Claim {
  readonly source: Source;
  readonly secret: string;
  readonly listeners: readonly string[];
  readonly wanted?: WantedCertificate;
}

export interface ObjectOutcome {
  readonly claims: readonly Claim[];
  readonly refusals: readonly Refusal[];
}

type Eligible = Extract<ListenerVerdict, { kind: 'eligible' }>;

interface Demand {
  readonly secret: string;
  readonly hostnames: string[];
  readonly listeners: string[];
  readonly issuers: IssuerRead[];
}

interface Asked {
  readonly demands: Map<string, Demand>;
  readonly lost: { readonly secrets: readonly string[]; readonly objection: Objection }[];
  readonly refused: string[];
}

export function resolveObject(input: ObjectCase): ObjectOutcome {
  const { source, issuer, options } = input;
  const entries = readListenerIssuers(source, options);
  if (issuer.kind === 'none' && entries.byListener.size === 0 && entries.problem === undefined) {
    return { claims: [], refusals: [] };
  }
  const { shape, problems } = readShape(source, input.inherited);
  const asked = ask(input, shape, (name) => entries.byListener.get(name) ?? issuer);
  const demands = [...asked.demands.values()];
  const secretsOf = (some: readonly Demand[]) => some.map((demand) => demand.secret);
  const bad = (message: string, holds: readonly string[]) => refusal(source, 'BadConfig', message, { holds });
  const refusals = [
    ...issuerRefusals(input, secretsOf(demands.filter((demand) => demand.issuers.includes(issuer)))),
    ...(entries.problem === undefined
      ? []
      : [bad(entries.problem, secretsOf(demands.filter((demand) => demand.issuers.some(isUnreadable))))]),
    ...problems.map((problem) => bad(problem, secretsOf(demands))),
    ...asked.refused.map((message) => bad(message, [])),
    ...asked.lost.map(({ secrets, objection }) => {
      const suspends = secrets.filter((secret) => !asked.demands.has(secret));
      return refusal(source, objection.reason, objection.message, { suspends });
    }),
    ...demands.filter(isSplit).map((demand) => bad(splitMessage(demand), [demand.secret])),
  ];
  const claims = demands.map((demand) => claim(input, demand, problems.length === 0 ? shape : undefined));
  return { claims, refusals };
}

/** A refusal about an object, with the Certificates that it suspends or holds. */
export function refusal(
  { subject, generation }: Source,
  reason: RefusalReason,
  message: string,
  touched: { readonly suspends?: readonly string[]; readonly holds?: readonly string[] },
): Refusal {
  return { about: subject, generation, reason, message, suspends: touched.suspends ?? [], holds: touched.holds ?? [] };
}

function ask(input: ObjectCase, shape: Shape, issuerOf: (listener: string) => IssuerRead): Asked {
  const asked: Asked = { demands: new Map(), lost: [], refused: [] };
  input.source.listeners.forEach((listener, index) => {
    const issuer = issuerOf(listener.name);
    if (issuer.kind === 'none') return;
    const verdict = judgeListener(input.source, index, listener, input.protocols, shape.ignoredListeners ?? []);
    if (verdict.kind === 'skipped') return;
    if (verdict.kind === 'refused') {
      asked.refused.push(verdict.message);
      return;
    }
    const objection = input.objection(index) ?? objectionToWildcard(verdict, input.options);
    if (objection !== undefined) asked.lost.push({ secrets: verdict.secrets, objection });
    else for (const secret of verdict.secrets) add(asked.demands, secret, verdict, issuer);
  });
  return asked;
}

function add(demands: Map<string, Demand>, secret: string, verdict: Eligible, issuer: IssuerRead): void {
  const demand = demands.get(secret) ?? { secret, hostnames: [], listeners: [], issuers: [] };
  demands.set(secret, demand);
  demand.hostnames.push(verdict.hostname);
  demand.listeners.push(verdict.listener.name);
  if (!demand.issuers.some((known) => sameIssuer(known, issuer))) demand.issuers.push(issuer);
}

function sameIssuer(a: IssuerRead, b: IssuerRead): boolean {
  if (a.kind !== 'named' || b.kind !== 'named') return a === b;
  return a.ref.name === b.ref.name && a.ref.kind === b.ref.kind && a.ref.group === b.ref.group;
}

function objectionToWildcard({ hostname, listener }: Eligible, options: ResolveOptions): Objection | undefined {
  if (options.hostnamePolicy === 'lenient' || !hostname.startsWith('*')) return undefined;
  const what = `Listener ${quoted(listener.name)} gets no certificate: hostname ${quoted(hostname)} is a wildcard`;
  const message = `${what}; name single hosts, or have whoever runs Certway set --gateway-hostname-policy to lenient.`;
  return { reason: 'WildcardHostname', message };
}

function issuerRefusals({ source, issuer }: ObjectCase, holds: readonly string[]): readonly Refusal[] {
  if (issuer.kind !== 'unusable') return [];
  if (issuer.from === source.subject) return issuer.problems.map((p) => refusal(source, 'BadConfig', p, { holds }));
  if (holds.length === 0) return [];
  const gateway = `Gateway ${issuer.from.namespace}/${issuer.from.name}`;
  const message = `${gateway}, whose issuer is the default here, names none that can be used; its owner can correct it, or name an issuer here.`;
  return [refusal(source, 'BadConfig', message, { holds })];
}

function isUnreadable(issuer: IssuerRead): boolean {
  return issuer.kind === 'unusable' && issuer.problems.length === 0;
}

function isSplit(demand: Demand): boolean {
  return demand.issuers.length > 1 && demand.issuers.every((issuer) => issuer.kind === 'named');
}

function splitMessage(demand: Demand): string {
  const names = demand.issuers.flatMap((issuer) =>
    issuer.kind === 'named' ? [`${issuer.ref.kind}/${issuer.ref.name}`] : [],
  );
  const who = `Listeners ${listed(demand.listeners.map(quoted))} name one Secret, ${quoted(demand.secret)}`;
  return `${who}, with different issuers, ${listed(names)}; give each its own Secret, or all the same issuer.`;
}

function claim({ source, options }: ObjectCase, demand: Demand, shape: Shape | undefined): Claim {
  const { secret, listeners } = demand;
  const [issuer] = demand.issuers;
  if (shape === undefined || demand.issuers.length > 1 || issuer?.kind !== 'named')
    return { source, secret, listeners };
  const wanted = {
    owner: source.subject,
    generation: source.generation,
    namespace: source.namespace,
    name: secret,
    spec: specOf(demand, issuer.ref, shape),
    labels: labelsOf(source),
    annotations: annotationsOf(source, shape, options.extraCertificateAnnotations),
    issuerFrom: issuer.from,
    listeners,
  };
  return { source, secret, listeners, wanted };
}
