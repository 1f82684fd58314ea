// What becomes of the certificates between Envoy Gateway, its proxies and its rate limit service: the work of its chart's certgen Job, and their
// renewal, which that Job does not do. Called by provision/ whenever a Secret of the system namespace changes, and at revisitAt.
//
//   leaf absent or broken             → issued at once, under our CA, which is made where there is none
//   leaf due, our CA known to all     → issued under it
//   leaf due, our CA not yet known    → the CA is added to what all trust (made, where there is none); the leaf waits until all have learned it
//   CA too old for one more leaf      → made anew, when a leaf needs it; the old one stays trusted until it ends
//   any other                         → left as it is, whoever made it

import type { Secret } from '../api/core.ts';
import { type AuthorityState, authorityStateOf, fieldOf, type Leaf, leafOf, sameCertificate } from './certgen-read.ts';
import { digestOf } from './digest.ts';
import { authoritySecret, certificateSecrets, hmacSecret } from './eg-names.ts';
import type { InfraRefusal } from './refusal.ts';

export type LeafName = (typeof certificateSecrets)[number];

export type CertificateAction =
  /** The trusts and issues of the same plan are about the one that is made. */
  | { readonly kind: 'makeAuthority' }
  /** Only ca.crt changes: `trusted`, and our CA. */
  | { readonly kind: 'trust'; readonly secret: LeafName; readonly trusted: readonly string[] }
  | {
      readonly kind: 'issue';
      readonly secret: LeafName;
      readonly dnsNames: readonly string[];
      readonly trusted: readonly string[];
    }
  /** Signs the cookies of OpenID Connect; made once. */
  | { readonly kind: 'makeHmac' };

export interface CertificatePlan {
  /** In this order; empty where nothing is to be written. */
  readonly actions: readonly CertificateAction[];
  readonly refusals: readonly InfraRefusal[];
  /** Ms: when to look again, nothing having changed. */
  readonly revisitAt: number;
}

export interface CertificatesSeen {
  readonly systemNamespace: string;
  /** Of that namespace, by name. */
  readonly secrets: ReadonlyMap<string, Secret>;
}

const day = 24 * 3600 * 1000;
/** From when our CA is trusted until a leaf is signed by it: kubelets and proxies have it by then. */
export const learnedAfter = day;
export const leafLife = 365 * day;
export const authorityLife = 3650 * day;

interface Named extends Leaf {
  readonly name: LeafName;
}

export function planCertificates(seen: CertificatesSeen, now: number): CertificatePlan {
  const authority = authorityStateOf(seen.secrets.get(authoritySecret), now);
  const leaves = certificateSecrets.map((name) => ({
    name,
    ...leafOf(seen.secrets.get(name), dnsNamesOf(seen, name), now),
  }));
  const missing = leaves.filter(({ state }) => state.kind === 'absent' || state.kind === 'broken');
  const serving = leaves.filter(({ state }) => state.kind === 'serving');
  const due = serving.filter(({ state }) => state.kind === 'serving' && state.renewAt <= now);
  const making = missing.length + due.length > 0 && !canSign(authority, now) && authority.kind !== 'wrongType';
  const untold = making ? serving : serving.filter((leaf) => !trusts(leaf, authority));
  const learned = !making && untold.length === 0 && learnedAt(authority) <= now;
  const issues = [...(making || canSign(authority, now) ? missing : []), ...(learned ? due : [])];
  return {
    actions: [
      ...(making ? [{ kind: 'makeAuthority' } as const] : []),
      ...untold.map(({ name, trusted }) => ({ kind: 'trust', secret: name, trusted }) as const),
      ...issues.map(
        ({ name, trusted }) => ({ kind: 'issue', secret: name, trusted, dnsNames: dnsNamesOf(seen, name) }) as const,
      ),
      ...(fieldOf(seen.secrets.get(hmacSecret), hmacKey) === '' ? [{ kind: 'makeHmac' } as const] : []),
    ],
    refusals: refusals(seen, leaves, authority),
    revisitAt: nextLook(leaves, making ? now + learnedAfter : learnedAt(authority), now),
  };
}

export const hmacKey = 'hmac-secret';

/** Names of the Service that the controller is found by; a proxy looks for `envoy-gateway`, whatever address it dials. */
function dnsNamesOf({ systemNamespace }: CertificatesSeen, name: LeafName): readonly string[] {
  const service = `envoy-gateway.${systemNamespace}`;
  return name === 'envoy-gateway'
    ? ['envoy-gateway', service, `${service}.svc`, `${service}.svc.cluster.local`]
    : [`*.${systemNamespace}`];
}

/** A leaf of full life must end before its CA. */
function canSign(authority: AuthorityState, now: number): boolean {
  return authority.kind === 'usable' && authority.notAfter - leafLife > now;
}

function learnedAt(authority: AuthorityState): number {
  return authority.kind === 'usable' ? authority.notBefore + learnedAfter : Number.POSITIVE_INFINITY;
}

/** Where there is no CA of ours, there is none to be told of. */
function trusts({ trusted }: Named, authority: AuthorityState): boolean {
  return authority.kind !== 'usable' || trusted.some((pem) => sameCertificate(pem, authority.pem));
}

function nextLook(leaves: readonly Named[], learned: number, now: number): number {
  const renewals = leaves.flatMap(({ state }) => (state.kind === 'serving' ? [state.renewAt, state.notAfter] : []));
  const later = [...renewals, learned].filter((at) => at > now && Number.isFinite(at));
  return Math.min(now + 30 * day, ...later);
}

function refusals(
  { systemNamespace, secrets }: CertificatesSeen,
  leaves: readonly Named[],
  authority: AuthorityState,
): readonly InfraRefusal[] {
  const wrong = [
    ...leaves.map(({ name, state }) => ({ name, kind: state.kind })),
    { name: authoritySecret, ...authority },
  ];
  return wrong
    .filter(({ kind }) => kind === 'wrongType')
    .map(({ name }) => {
      const object = `Secret ${systemNamespace}/${name}`;
      const message = `${object} is of the type ${secrets.get(name)?.type ?? 'Opaque'}, and must be of the type kubernetes.io/tls. Delete it; Certway makes it anew.`;
      return { step: 'Certificates', object, reason: 'SecretTypeWrong', message };
    });
}

/** What the controller starts anew for: its own certificate, and whom it and all proxies trust. Envoy Gateway hands the CA on when it starts. */
export function certificatesDigest({ secrets }: CertificatesSeen): string {
  return digestOf(certificateSecrets.map((name) => ['tls.crt', 'ca.crt'].map((key) => secrets.get(name)?.data?.[key])));
}

/** PEM that verifies the controller's webhook; undefined until there is a certificate. */
export function webhookAuthority({ secrets }: CertificatesSeen): string | undefined {
  const pem = fieldOf(secrets.get('envoy-gateway'), 'ca.crt');
  return pem === '' ? undefined : pem;
}
