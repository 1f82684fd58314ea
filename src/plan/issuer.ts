// Decides what happens next to one Issuer or ClusterIssuer: which key to load or make, whether to ask the CA, what its Ready condition says.
// Called after every action by apply/issuer.ts until it answers `rest`. Reasons keep cert-manager's names.

import type { AcmeIssuerSpec, Issuer } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import type { CaProblem } from '../order/ca.ts';
import { conditionOf, withCondition } from './conditions.ts';

export type SignerSeen =
  | { readonly kind: 'ready' }
  | { readonly kind: 'absent' | 'unusable' | 'forbidden'; readonly message: string };

export type AccountKeySeen =
  | { readonly kind: 'unread' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unusable' | 'forbidden'; readonly message: string }
  | { readonly kind: 'held'; readonly hash: string; readonly thumbprint: string };

export type RegistrationSeen =
  | { readonly kind: 'none' }
  | { readonly kind: 'done'; readonly url: string; readonly email: string }
  /** Something that the registration needs is not there; the CA has not been asked. */
  | { readonly kind: 'blocked'; readonly message: string }
  | { readonly kind: 'problem'; readonly problem: CaProblem; readonly attempts: number; readonly at: number };

export interface IssuerSeen {
  readonly issuer: Issuer;
  /** For a CA issuer: its Secret. */
  readonly signer?: SignerSeen;
  readonly accountKey: AccountKeySeen;
  /** `lost`: the CA has refused the account, or its key is gone, since the status was written. */
  readonly account: 'asTold' | 'lost';
  readonly registration: RegistrationSeen;
}

export type IssuerAction =
  | { readonly kind: 'loadKey' }
  | { readonly kind: 'makeKey' }
  | { readonly kind: 'register' }
  | { readonly kind: 'annotate'; readonly thumbprint: string }
  | { readonly kind: 'writeStatus'; readonly status: NonNullable<Issuer['status']>; readonly ready: Readiness }
  | { readonly kind: 'rest'; readonly revisitAt?: number };

export interface Readiness {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/** The next action for the issuer; `rest` carries when (epoch ms) to look again. */
export function planIssuer(seen: IssuerSeen, now: number): IssuerAction {
  const { spec } = seen.issuer;
  if (seen.issuer.metadata.deletionTimestamp !== undefined) return { kind: 'rest' };
  if (spec.acme !== undefined) return planAcme(seen, spec.acme, now);
  if (spec.ca !== undefined) return say(seen, caReadiness(seen.signer), now);
  if (spec.selfSigned !== undefined) return say(seen, ready('IsReady', 'Self-signed issuers are always ready.'), now);
  const known = 'this issuer type is not supported; use acme, ca or selfSigned.';
  return say(seen, notReady('NotSupported', `Certway does not sign for it: ${known}`), now);
}

function caReadiness(signer: SignerSeen | undefined): Readiness {
  switch (signer?.kind) {
    case undefined:
    case 'absent':
      return notReady('ErrGetKeyPair', signer?.message ?? 'The Secret with the signing key has not been read yet.');
    case 'forbidden':
      return notReady('ErrGetKeyPair', signer.message);
    case 'unusable':
      return notReady('ErrInvalidKeyPair', signer.message);
    case 'ready':
      return ready('KeyPairVerified', 'Signing CA verified');
    default:
      return signer satisfies never;
  }
}

function planAcme(seen: IssuerSeen, acme: AcmeIssuerSpec, now: number): IssuerAction {
  const wrong = misconfigured(acme);
  if (wrong !== undefined) return say(seen, wrong, now);
  if (seen.account === 'asTold' && isRegistered(seen, acme)) return { kind: 'rest' };
  const key = seen.accountKey;
  const secret = acme.privateKeySecretRef.name;
  switch (key.kind) {
    case 'unread':
      return { kind: 'loadKey' };
    case 'absent':
      if (acme.disableAccountKeyGeneration !== true) return { kind: 'makeKey' };
      return say(
        seen,
        notReady(
          'ErrVerifyACMEAccount',
          `Secret "${secret}" does not exist, and disableAccountKeyGeneration forbids to make it.`,
        ),
        now,
      );
    case 'unusable':
    case 'forbidden':
      return say(seen, notReady('ErrVerifyACMEAccount', key.message), now);
    case 'held':
      return withAccount(seen, acme, key, now);
    default:
      return key satisfies never;
  }
}

function withAccount(
  seen: IssuerSeen,
  acme: AcmeIssuerSpec,
  key: AccountKeySeen & { kind: 'held' },
  now: number,
): IssuerAction {
  const { registration } = seen;
  if (registration.kind === 'none') return { kind: 'register' };
  if (registration.kind === 'blocked') {
    return say(seen, notReady('ErrRegisterACMEAccount', registration.message), now);
  }
  if (registration.kind === 'problem') {
    const revisitAt = retryAt(registration);
    if (revisitAt <= now) return { kind: 'register' };
    const said = say(seen, notReady('ErrRegisterACMEAccount', registration.problem.detail), now);
    return said.kind === 'rest' ? { kind: 'rest', revisitAt } : said;
  }
  if (registration.email !== (acme.email ?? '')) return { kind: 'register' };
  if (seen.issuer.metadata.annotations?.[annotations.accountThumbprint] !== key.thumbprint) {
    return { kind: 'annotate', thumbprint: key.thumbprint };
  }
  const account = {
    uri: registration.url,
    ...(registration.email !== '' && { lastRegisteredEmail: registration.email }),
    lastPrivateKeyHash: key.hash,
  };
  return say(
    seen,
    ready('ACMEAccountRegistered', 'The ACME account was registered with the ACME server'),
    now,
    account,
  );
}

/** The status says that this very account, key and address are registered: nothing is asked of the CA at a restart. */
function isRegistered(seen: IssuerSeen, acme: AcmeIssuerSpec): boolean {
  const { status, metadata } = seen.issuer;
  const account = status?.acme;
  const ready = conditionOf(status?.conditions, 'Ready');
  const key = seen.accountKey;
  return (
    ready?.status === 'True' &&
    ready.observedGeneration === metadata.generation &&
    account?.uri !== undefined &&
    URL.parse(account.uri)?.host === URL.parse(acme.server)?.host &&
    (account.lastRegisteredEmail ?? '') === (acme.email ?? '') &&
    account.lastPrivateKeyHash !== undefined &&
    metadata.annotations?.[annotations.accountThumbprint] !== undefined &&
    key.kind !== 'absent' &&
    (key.kind !== 'held' || key.hash === account.lastPrivateKeyHash)
  );
}

function misconfigured(acme: AcmeIssuerSpec): Readiness | undefined {
  const server = URL.parse(acme.server);
  if (server === null || server.protocol !== 'https:') {
    return notReady('InvalidURL', `spec.acme.server "${acme.server}" is not an https URL of an ACME directory.`);
  }
  if (/^acme-(v01|staging)\.api\.letsencrypt\.org$/.test(server.host)) {
    return notReady(
      'InvalidConfig',
      'ACME v1 has been switched off; use https://acme-v02.api.letsencrypt.org/directory.',
    );
  }
  if (acme.privateKeySecretRef.name === '')
    return notReady('InvalidConfig', 'spec.acme.privateKeySecretRef.name is empty.');
  return undefined;
}

/** When to try a failed registration again: as the CA says, else 5 s doubling to 10 minutes. */
function retryAt(failed: RegistrationSeen & { kind: 'problem' }): number {
  const asked = 'retryAt' in failed.problem ? failed.problem.retryAt : undefined;
  return asked ?? failed.at + Math.min(600_000, 5_000 * 2 ** Math.min(failed.attempts - 1, 10));
}

function say(
  seen: IssuerSeen,
  readiness: Readiness,
  now: number,
  account?: NonNullable<NonNullable<Issuer['status']>['acme']>,
): IssuerAction {
  const { status, metadata } = seen.issuer;
  const observed = metadata.generation === undefined ? {} : { observedGeneration: metadata.generation };
  const conditions = withCondition(status?.conditions, { type: 'Ready', ...readiness, ...observed }, now);
  const acme = account ?? status?.acme;
  const wanted = { ...status, conditions, ...(acme !== undefined && { acme }) };
  const last = conditionOf(status?.conditions, 'Ready');
  const same =
    last?.status === readiness.status &&
    last.reason === readiness.reason &&
    last.message === readiness.message &&
    last.observedGeneration === metadata.generation &&
    sameAccount(acme, status?.acme);
  return same ? { kind: 'rest' } : { kind: 'writeStatus', status: wanted, ready: readiness };
}

type Account = NonNullable<Issuer['status']>['acme'];

function sameAccount(a: Account, b: Account): boolean {
  return (
    a?.uri === b?.uri &&
    a?.lastRegisteredEmail === b?.lastRegisteredEmail &&
    a?.lastPrivateKeyHash === b?.lastPrivateKeyHash
  );
}

function ready(reason: string, message: string): Readiness {
  return { status: 'True', reason, message };
}

function notReady(reason: string, message: string): Readiness {
  return { status: 'False', reason, message };
}
