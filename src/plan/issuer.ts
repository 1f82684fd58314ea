// Decides what happens next to one Issuer or ClusterIssuer: which key to load or make, whether to ask the CA, what its Ready condition says.
// Called after every action by apply/issuer.ts until it answers `rest`. Reasons keep cert-manager's names.

import type { AcmeIssuerSpec } from '../api/certmanager.ts';
import { annotations } from '../api/names.ts';
import { conditionOf, timestamp } from './conditions.ts';
import type { AccountKeySeen, IssuerAction, IssuerSeen, Readiness, SignerSeen, Verdict } from './issuer-seen.ts';
import { notReady, ready, retryAt, say, sayFailure } from './issuer-status.ts';
import { askedRollover, doneRollover, planRollover, rolloverCondition } from './rollover.ts';

/** The next action for the issuer; `rest` carries when (epoch ms) to look again. */
export function planIssuer(seen: IssuerSeen, now: number): IssuerAction {
  const { spec } = seen.issuer;
  if (seen.issuer.metadata.deletionTimestamp !== undefined) return { kind: 'rest' };
  if (spec.acme !== undefined) return planAcme(seen, spec.acme, now);
  if (seen.verdict !== undefined) return tellVerdict(seen, seen.verdict, now);
  if (spec.ca !== undefined) return tellVerdict(seen, caVerdict(seen.signer, spec.ca.secretName, now), now);
  if (spec.selfSigned !== undefined) return say(seen, ready('IsReady', 'Self-signed issuers are always ready.'), now);
  const known = 'this issuer type is not supported; use acme, ca, selfSigned or vault.';
  return say(seen, notReady('NotSupported', `Certway does not sign for it: ${known}`), now);
}

function tellVerdict(seen: IssuerSeen, { readiness, revisitAt }: Verdict, now: number): IssuerAction {
  const said = say(seen, readiness, now);
  return said.kind === 'rest' && revisitAt !== undefined ? { kind: 'rest', revisitAt } : said;
}

/** What an expired CA signs is refused by everybody; its Secret's change wakes the issuer, its end does by the clock. */
function caVerdict(signer: SignerSeen | undefined, secret: string, now: number): Verdict {
  if (signer?.kind !== 'ready') return { readiness: caTrouble(signer) };
  if (signer.notAfter > now) {
    return { readiness: ready('KeyPairVerified', 'Signing CA verified'), revisitAt: signer.notAfter };
  }
  const message = `The CA’s certificate has expired, at ${timestamp(signer.notAfter)}: put a renewed one with its key into Secret "${secret}".`;
  return { readiness: notReady('ErrInvalidKeyPair', message) };
}

function caTrouble(signer: Exclude<SignerSeen, { kind: 'ready' }> | undefined): Readiness {
  if (signer === undefined) return notReady('ErrGetKeyPair', 'The Secret with the signing key has not been read yet.');
  return notReady(signer.kind === 'unusable' ? 'ErrInvalidKeyPair' : 'ErrGetKeyPair', signer.message);
}

function planAcme(seen: IssuerSeen, acme: AcmeIssuerSpec, now: number): IssuerAction {
  const wrong = misconfigured(acme);
  if (wrong !== undefined) return say(seen, wrong, now);
  if (seen.solverLack !== undefined) return say(seen, notReady('InvalidSolver', seen.solverLack), now);
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
      return withKey(seen, acme, key, now);
    default:
      return key satisfies never;
  }
}

type HeldKey = AccountKeySeen & { readonly kind: 'held' };

function withKey(seen: IssuerSeen, acme: AcmeIssuerSpec, key: HeldKey, now: number): IssuerAction {
  // Before anything else is asked of the CA it must be known which of the two keys it knows.
  const isReady = seen.account === 'asTold' && isRegistered(seen, acme, key);
  if (key.next?.standing === 'theirs' && isReady) return { kind: 'rest' };
  // Once it is known to be the old one, nothing is stopped or changed at a CA that has not confirmed the account for this spec.
  const isUnconfirmed = key.next?.standing === 'unused' && !isReady && askedRollover(seen, key) !== undefined;
  if (key.next !== undefined && !(isUnconfirmed && isSameHost(seen, acme)))
    return planRollover(seen, key, now) ?? { kind: 'rest' };
  if (!isReady) return withAccount(seen, acme, key, now);
  if (seen.rollover.traffic.kind !== 'flowing') return { kind: 'resume' };
  return closing(seen, now) ?? planRollover(seen, key, now) ?? { kind: 'rest' };
}

/** Asked for by the account's own URL, so that the wish does not outlive the account. */
function closing(seen: IssuerSeen, now: number): IssuerAction | undefined {
  const { metadata, status } = seen.issuer;
  const asked = metadata.annotations?.[annotations.deactivateAccount];
  if (asked === undefined || asked !== status?.acme?.uri) return undefined;
  const until = seen.closing === undefined ? 0 : retryAt(seen.closing);
  return until <= now ? { kind: 'deactivate' } : { kind: 'rest', revisitAt: until };
}

function withAccount(seen: IssuerSeen, acme: AcmeIssuerSpec, key: HeldKey, now: number): IssuerAction {
  const { registration } = seen;
  switch (registration.kind) {
    case 'none':
      return { kind: 'register' };
    case 'blocked':
      return say(seen, notReady('ErrRegisterACMEAccount', registration.message), now);
    case 'closed':
      return say(seen, notReady('ACMEAccountDeactivated', registration.message), now);
    case 'problem': {
      const until = retryAt(registration);
      if (until <= now) return { kind: 'register' };
      const reason = registration.step === 'update' ? 'ErrUpdateACMEAccount' : 'ErrRegisterACMEAccount';
      return sayFailure(seen, { failure: registration, reason, until }, now);
    }
    case 'done':
      return registration.email === (acme.email ?? '')
        ? tellRegistered(seen, registration, key, now)
        : { kind: 'register' };
    default:
      return registration satisfies never;
  }
}

function tellRegistered(
  seen: IssuerSeen,
  registered: { readonly url: string; readonly email: string },
  key: HeldKey,
  now: number,
): IssuerAction {
  const noted = seen.issuer.metadata.annotations ?? {};
  const done = doneRollover(seen, key);
  const isNoted = done === undefined || noted[annotations.rolledOverAccountKey] === done;
  if (noted[annotations.accountThumbprint] !== key.thumbprint || !isNoted) {
    return { kind: 'annotate', thumbprint: key.thumbprint, ...(done !== undefined && { rolledOver: done }) };
  }
  const account = {
    uri: registered.url,
    ...(registered.email !== '' && { lastRegisteredEmail: registered.email }),
    lastPrivateKeyHash: key.hash,
  };
  const isRolled = done !== undefined && done === key.rolledOver;
  const readiness = ready('ACMEAccountRegistered', 'The ACME account was registered with the ACME server');
  return say(seen, readiness, now, { account, ...(isRolled && { also: rolled }) });
}

const rolled = {
  type: rolloverCondition,
  status: 'True',
  reason: 'RolledOver',
  message: 'The CA knows the account by a new key',
} as const;

/** The status says that this very account, key and address are registered: nothing is asked of the CA at a restart. */
function isRegistered(seen: IssuerSeen, acme: AcmeIssuerSpec, key: HeldKey): boolean {
  const { status, metadata } = seen.issuer;
  const account = status?.acme;
  const last = conditionOf(status?.conditions, 'Ready');
  return (
    last?.status === 'True' &&
    last.observedGeneration === metadata.generation &&
    account?.uri !== undefined &&
    isSameHost(seen, acme) &&
    (account.lastRegisteredEmail ?? '') === (acme.email ?? '') &&
    account.lastPrivateKeyHash === key.hash &&
    metadata.annotations?.[annotations.accountThumbprint] === key.thumbprint
  );
}

function isSameHost({ issuer }: IssuerSeen, acme: AcmeIssuerSpec): boolean {
  const host = URL.parse(issuer.status?.acme?.uri ?? '')?.host;
  return host !== undefined && host === URL.parse(acme.server)?.host;
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
