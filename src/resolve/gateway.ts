// Decides which Certificates a Gateway and the ListenerSets on it are to have, and whom to tell why not: `resolveGateway`, one pure call
// per change of any of them. Called by apply/; plan/listeners.ts compares the answer with what exists.

import { annotations } from '../api/names.ts';
import { objectionBySpec, pointsAtGateway, servesClass } from './admission.ts';
import { derivedAnnotations } from './certificate.ts';
import { settleClaims } from './claims.ts';
import { type Disputes, lostMessage, settleDisputes } from './disputes.ts';
import { type Bequest, inheritedBy, nothingInherited, readBequest } from './inherit.ts';
import { type IssuerRead, readIssuer } from './issuer.ts';
import { namedSecrets } from './listener.ts';
import { type ObjectOutcome, refusal, resolveObject } from './object.ts';
import { agesOf, byPrecedence } from './precedence.ts';
import { isLeaving, parentKey, type Source, sourceOfGateway, sourceOfListenerSet } from './source.ts';
import { type Objection, objectionToListener, objectionToSet } from './veto.ts';
import type { GatewayWorld, Resolution, Subject } from './world.ts';

/** A ListenerSet with what its and the Gateway's spec say against it. */
interface Applicant {
  readonly source: Source;
  readonly parent: 'Gateway' | 'otherKind';
  readonly objection?: Objection;
}

interface Scene {
  readonly world: GatewayWorld;
  /** Present when it is to be acted for: it exists, stays, and is of a class that is served. */
  readonly gateway?: Source;
  readonly gatewayIssuer: IssuerRead;
  readonly bequest: Bequest;
  readonly protocols: ReadonlySet<string>;
  readonly disputes: Disputes;
}

const nothing: ObjectOutcome = { claims: [], refusals: [] };

/** What is wanted, refused and left alone on one Gateway. The same world always gives the same answer. */
export function resolveGateway(world: GatewayWorld): Resolution {
  const sets = world.listenerSets.filter((set) => !isLeaving(set) && parentKey(set) === world.gatewayKey);
  const unsorted = sets.map((set): Applicant => {
    const objection = objectionBySpec(set, world);
    const parent = pointsAtGateway(set) ? 'Gateway' : 'otherKind';
    return { source: sourceOfListenerSet(set), parent, ...(objection !== undefined && { objection }) };
  });
  const ages = agesOf(unsorted.map(({ source }) => source));
  const applicants = unsorted.sort((a, b) => byPrecedence(a.source, b.source, ages));
  const scene = sceneOf(world, applicants);
  const outcomes = [gatewayOutcome(scene), ...applicants.map((applicant) => setOutcome(applicant, scene))];
  const settled = settleClaims(
    outcomes.flatMap((outcome) => outcome.claims),
    ages,
  );
  return {
    subjects: subjectsOf(scene, applicants),
    wanted: settled.wanted,
    refusals: [...outcomes.flatMap((outcome) => outcome.refusals), ...settled.refusals],
    ownedAnnotations: [...derivedAnnotations, ...world.options.extraCertificateAnnotations],
  };
}

function sceneOf(world: GatewayWorld, applicants: readonly Applicant[]): Scene {
  const seen = world.gateway === undefined ? undefined : sourceOfGateway(world.gateway);
  const acts = world.gateway !== undefined && !isLeaving(world.gateway) && servesClass(world.gateway, world);
  const gateway = acts ? seen : undefined;
  const admitted = applicants.filter(({ objection }) => objection === undefined).map(({ source }) => source);
  return {
    world,
    ...(gateway !== undefined && { gateway }),
    gatewayIssuer: seen === undefined ? { kind: 'none' } : readIssuer(seen, world.options),
    bequest: gateway === undefined ? { rows: [] } : readBequest(gateway),
    protocols: new Set(['HTTPS', 'TLS', ...world.options.extraProtocols]),
    disputes: settleDisputes(gateway === undefined ? [] : [gateway, ...admitted]),
  };
}

/** A Gateway of another class is not ours to judge: not a word, and its Certificates stay as they are. */
function gatewayOutcome(scene: Scene): ObjectOutcome {
  const { gateway, gatewayIssuer, bequest } = scene;
  if (gateway === undefined) return nothing;
  const withheld = withheldFrom(gateway, gatewayIssuer, scene);
  if (withheld !== undefined) return withheld;
  const outcome = resolveObject({
    source: gateway,
    issuer: gatewayIssuer,
    inherited: nothingInherited,
    ...shared(scene, gateway),
  });
  if (bequest.problem === undefined) return outcome;
  return { ...outcome, refusals: [...outcome.refusals, refusal(gateway, 'BadConfig', bequest.problem, {})] };
}

function setOutcome(applicant: Applicant, scene: Scene): ObjectOutcome {
  const { source } = applicant;
  const { world, gateway } = scene;
  const own = readIssuer(source, world.options);
  const issuer = own.kind === 'none' && applicant.parent === 'Gateway' ? scene.gatewayIssuer : own;
  const objection = applicant.objection ?? objectionToSet(source);
  const withheld = objection === undefined ? withheldFrom(source, issuer, scene) : undefined;
  if (withheld !== undefined) return withheld;
  if (objection === undefined && gateway !== undefined) {
    const inherited = inheritedBy(source, gateway, scene.bequest);
    return resolveObject({ source, issuer, inherited, ...shared(scene, source) });
  }
  const names = secretsOf(source, scene);
  if (objection === undefined || names.length === 0 || !expectsCertificates(applicant, issuer, world)) return nothing;
  const until = `Until then this ${source.subject.kind} gets no certificate, and none that it has is renewed.`;
  const message = `${objection.message} ${until}`;
  return { claims: [], refusals: [refusal(source, objection.reason, message, { suspends: names })] };
}

/** Of a reserved namespace: no certificate, and none renewed. Of one that drains: whatever it has stays as it is. */
function withheldFrom(source: Source, issuer: IssuerRead, scene: Scene): ObjectOutcome | undefined {
  const withheld = scene.world.withheld?.(source.namespace);
  if (withheld === undefined) return undefined;
  const names = secretsOf(source, scene);
  const isAsked = issuer.kind !== 'none' || annotations.listenerIssuers in source.annotations;
  if (names.length === 0 || !isAsked) return nothing;
  const { reason, message } = withheld;
  const touched = reason === 'NamespaceReserved' ? { suspends: names } : { holds: names };
  return { claims: [], refusals: [refusal(source, reason, message, touched)] };
}

function secretsOf(source: Source, { protocols }: Scene): readonly string[] {
  return [...new Set(source.listeners.flatMap((listener) => namedSecrets(source, listener, protocols)))];
}

/** Whether a missing Gateway would have had an issuer to give, nobody knows: better one word too many. */
function expectsCertificates({ source, parent }: Applicant, issuer: IssuerRead, world: GatewayWorld): boolean {
  if (issuer.kind !== 'none' || annotations.listenerIssuers in source.annotations) return true;
  return parent === 'Gateway' && world.gateway === undefined;
}

function shared({ disputes, protocols, world }: Scene, source: Source) {
  const objection = (index: number): Objection | undefined => {
    const listener = source.listeners[index];
    if (listener === undefined) return undefined;
    const reason = disputes.lost(source, index);
    if (reason !== undefined) return { reason, message: lostMessage(listener, world.gatewayKey) };
    return objectionToListener(source, listener.name, disputes.won(source, index) ? 'holder' : 'unknown');
  };
  return { protocols, options: world.options, objection };
}

/** Listener sets of Gateways that are not served are only ever suspended: whatever else they control may be another controller's. */
function subjectsOf({ gateway }: Scene, applicants: readonly Applicant[]): readonly Subject[] {
  const sets = applicants.filter(({ objection }) => objection?.reason !== 'ParentNotServed');
  return [...(gateway === undefined ? [] : [gateway]), ...sets.map(({ source }) => source)].map(
    ({ subject }) => subject,
  );
}
