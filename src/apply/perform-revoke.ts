// Has certificates revoked whose owners ask for it: observe, plan, perform, until the plan rests. Called by certificate.ts before it plans anything else for
// a Certificate. Only pairs whose private key is at hand are touched, so that nobody has a neighbour's certificate revoked with a shared account.

import { algorithmOf } from '../acme/jws.ts';
import type { AcmeProblem } from '../acme/problem.ts';
import { revoke } from '../acme/revocation.ts';
import type { Certificate, Issuer } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import { fullRef } from '../api/issuer-ref.ts';
import { annotations, certManagerGroup } from '../api/names.ts';
import type { Reply } from '../api/reply.ts';
import { certificates, secrets } from '../api/resources.ts';
import type { KubeProblem } from '../kube/problem.ts';
import { conditionOf, withCondition } from '../plan/conditions.ts';
import type { Failure } from '../plan/issuer-seen.ts';
import { refOf } from '../plan/object-ref.ts';
import {
  isRevoked,
  planRevocation,
  type Replacement,
  type RevocationAction,
  type RevocationSeen,
  type RevocationWish,
  replacementFor,
  revocationWish,
  revokedCondition,
  revokedMessage,
} from '../plan/revocation.ts';
import { failedAgain } from './issuer-held.ts';
import { issuerOf, secretNamespace } from './issuer-of.ts';
import type { Ports } from './ports.ts';
import { isKeptBy, keptName, keptSecret, type Pair, pairIn } from './revocation-pair.ts';

export interface RevocationTurn {
  /** The Certificate's plan is to replace it although it is good. */
  readonly replace?: Replacement;
  readonly revisitAt?: number;
}

/** By the key of the Certificate, "namespace/name"; a Certificate that asks nothing costs nothing. */
export type Revocations = (key: string) => Promise<Reply<RevocationTurn, KubeProblem>>;

const mostActions = 8;

export function revocations(ports: Ports): Revocations {
  const failures = new Map<string, Failure>();
  /** What was asked for and has come to its end. */
  const over = new Map<string, string>();
  return async (key) => {
    for (let count = 0; count < mostActions; count++) {
      const certificate = ports.stores.certificates.get(key);
      const asked = certificate?.metadata.annotations?.[annotations.revoke] ?? '';
      if (over.get(key) !== asked) over.delete(key);
      if (certificate === undefined || over.has(key) || !isConcerned(ports, certificate)) {
        failures.delete(key);
        return { ok: true, value: {} };
      }
      const scene = await look(ports, certificate, failures.get(key));
      if (!scene.ok) return scene;
      const action = planRevocation(scene.value.seen, ports.now());
      if (action.kind === 'rest') {
        const replace = replacementFor(scene.value.seen);
        const { revisitAt } = action;
        if (replace === undefined && isOver(certificate)) over.set(key, asked);
        return {
          ok: true,
          value: { ...(replace !== undefined && { replace }), ...(revisitAt !== undefined && { revisitAt }) },
        };
      }
      const done = await perform(ports, scene.value, action);
      if (done.kind === 'kube') return { ok: false, problem: done.problem };
      if (done.kind === 'ca') failures.set(key, failedAgain(failures.get(key), done.problem, ports.now()));
      else failures.delete(key);
    }
    return { ok: true, value: { revisitAt: ports.now() + 60_000 } };
  };
}

function isOver(certificate: Certificate): boolean {
  const wish = revocationWish(certificate);
  return typeof wish === 'object' && isRevoked(certificate, wish);
}

/** It asks for something, or a pair of it is still put aside. */
function isConcerned(ports: Ports, certificate: Certificate): boolean {
  if (revocationWish(certificate) !== undefined) return true;
  const { namespace = '', name } = certificate.metadata;
  const watch = ports.secrets.ours(namespace);
  return watch.kind === 'ready' && watch.store.get(`${namespace}/${keptName(name)}`) !== undefined;
}

interface Scene {
  readonly certificate: Certificate;
  readonly seen: RevocationSeen;
  readonly issuer: Issuer | undefined;
  readonly target: Secret | undefined;
  readonly kept: Secret | undefined;
}

async function look(
  ports: Ports,
  certificate: Certificate,
  failure: Failure | undefined,
): Promise<Reply<Scene, KubeProblem>> {
  const { name } = certificate.metadata;
  const target = await secretNamed(ports, certificate, certificate.spec.secretName);
  if (!target.ok) return target;
  const kept = await secretNamed(ports, certificate, keptName(name));
  if (!kept.ok) return kept;
  const served = pairIn(target.value);
  const aside = keptSerial(certificate, kept.value);
  const issuer = isOurs(certificate) ? issuerOf(ports, certificate) : undefined;
  const seen: RevocationSeen = {
    certificate,
    issuer: standingOf(issuer),
    ...(served !== undefined && {
      served: { serial: served.serial, fingerprint: served.certificate.fingerprint256 },
    }),
    ...(aside !== undefined && { kept: aside }),
    ...(failure !== undefined && { failure }),
  };
  return { ok: true, value: { certificate, seen, issuer, target: target.value, kept: kept.value } };
}

function isOurs({ spec }: Certificate): boolean {
  return fullRef(spec.issuerRef).group === certManagerGroup;
}

function standingOf(issuer: Issuer | undefined): RevocationSeen['issuer'] {
  if (issuer === undefined) return 'unready';
  if (issuer.spec.acme === undefined) return 'other';
  return conditionOf(issuer.status?.conditions, 'Ready')?.status === 'True' ? 'acme' : 'unready';
}

/** A pair that does not belong together proves nothing, and is as good as none. */
function keptSerial(certificate: Certificate, kept: Secret | undefined): string | undefined {
  if (kept === undefined) return undefined;
  return isKeptBy(kept, certificate) ? (pairIn(kept)?.serial ?? 'none') : 'strange';
}

async function secretNamed(
  ports: Ports,
  { metadata: { namespace = '' } }: Certificate,
  name: string,
): Promise<Reply<Secret | undefined, KubeProblem>> {
  const read = await ports.kube.get(secrets, { namespace, name });
  return !read.ok && read.problem.kind === 'notFound' ? { ok: true, value: undefined } : read;
}

type Done =
  | { readonly kind: 'done' }
  | { readonly kind: 'ca'; readonly problem: AcmeProblem }
  | { readonly kind: 'kube'; readonly problem: KubeProblem };

type Acting = Exclude<RevocationAction, { kind: 'rest' }>;

async function perform(ports: Ports, scene: Scene, action: Acting): Promise<Done> {
  const { certificate, target, kept } = scene;
  switch (action.kind) {
    case 'keep': {
      if (target === undefined) return done;
      const made = await ports.kube.create(secrets, keptSecret(certificate, target));
      return made.ok || made.problem.kind === 'alreadyExists' ? done : { kind: 'kube', problem: made.problem };
    }
    case 'drop': {
      if (kept === undefined) return done;
      const { name, namespace = '', uid = '' } = kept.metadata;
      const gone = await ports.kube.delete(secrets, { name, namespace }, { uid });
      return gone.ok || gone.problem.kind === 'notFound' ? done : { kind: 'kube', problem: gone.problem };
    }
    case 'revoke': {
      const pair = pairIn(action.pair === 'served' ? target : kept);
      return pair === undefined ? done : revokePair(ports, scene, pair, action.wish);
    }
    case 'tell':
      return tell(ports, certificate, action.condition);
    default:
      return action satisfies never;
  }
}

const done: Done = { kind: 'done' };

/** A compromise is proven by the key itself, which needs no account; whatever else is the account's to say. */
async function revokePair(ports: Ports, scene: Scene, pair: Pair, wish: RevocationWish): Promise<Done> {
  const { certificate, issuer } = scene;
  if (issuer === undefined) return done;
  const endpoint = ports.accounts.endpoint(issuer);
  const isProof = wish.reason === 'keyCompromise' && algorithmOf(pair.key) !== undefined;
  if (isProof) {
    const byKey = await revoke({ kind: 'certificate', endpoint, key: pair.key }, pair.certificate, wish.reason);
    if (byKey.ok) return tellRevoked(ports, certificate, wish);
    if (byKey.problem.kind !== 'refused') return { kind: 'ca', problem: byKey.problem };
  }
  const session = await ports.accounts.session(issuer, secretNamespace(ports, issuer));
  if (!session.ok) {
    return session.problem.kind === 'kube'
      ? { kind: 'kube', problem: session.problem.problem }
      : { kind: 'ca', problem: { kind: 'network', detail: session.problem.message, sent: 'no' } };
  }
  const byAccount = await revoke({ kind: 'account', session: session.value }, pair.certificate, wish.reason);
  return byAccount.ok ? tellRevoked(ports, certificate, wish) : { kind: 'ca', problem: byAccount.problem };
}

async function tellRevoked(ports: Ports, certificate: Certificate, wish: RevocationWish): Promise<Done> {
  const { namespace, name } = certificate.metadata;
  ports.log.info({ namespace, name, serial: wish.serial, reason: wish.reason }, 'revoked');
  const message = revokedMessage(wish);
  return tell(ports, certificate, { type: revokedCondition, status: 'True', reason: 'Revoked', message });
}

async function tell(
  ports: Ports,
  certificate: Certificate,
  condition: (RevocationAction & { kind: 'tell' })['condition'],
): Promise<Done> {
  const conditions = withCondition(certificate.status?.conditions, condition, ports.now());
  const status = { ...certificate.status, conditions };
  const written = await ports.kube.replaceStatus(certificates, { ...certificate, status });
  if (!written.ok) return { kind: 'kube', problem: written.problem };
  ports.stores.certificates.note(written.value);
  const { reason = '', message = '' } = condition;
  const type = reason === 'Revoked' || reason === 'Replacing' ? 'Normal' : 'Warning';
  const of = certificate.metadata.annotations?.[annotations.revoke] ?? '';
  const said = { about: refOf(certificate), type, message } as const;
  await ports.recorder.say({ ...said, reason: type === 'Normal' ? reason : `Revocation${reason}` }, { of });
  return done;
}
