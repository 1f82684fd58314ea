// What a Certificate's reconcile has seen, as plain values: the input of `planCertificate`. apply/observe-certificate.ts gathers it.

import type { Certificate, CertificateRequest } from '../api/certmanager.ts';
import type { Order } from '../api/order.ts';
import type { OrderState, Wait } from '../order/state.ts';
import type { Approval } from './approval.ts';
import type { InfraHold } from './infra-hold.ts';
import type { Replacement } from './revocation.ts';
import type { KeystoresSeen, SecretDrift, SecretShape } from './secret-drift.ts';
import type { Standing } from './standing.ts';

/** What stands in the target Secret, read once per resourceVersion. Nothing here is key material. */
export interface SecretFacts {
  readonly certificateName?: string;
  readonly issuer: { readonly name: string; readonly kind: string; readonly group: string };
  readonly missing: readonly string[];
  /** A sentence when the pair does not parse or does not belong together. */
  readonly brokenPair?: string;
  /** Ways in which key and certificate differ from the spec, as sentences. */
  readonly mismatches: readonly string[];
  readonly leaf?: {
    readonly notBefore: number;
    readonly notAfter: number;
    readonly keyFingerprint: string;
    /** SHA-256 of the certificate. */
    readonly fingerprint: string;
    /** `standIn`: the self-signed one that serves until the issuer has signed. */
    readonly origin: 'issuer' | 'standIn';
  };
  /** What else stands in it; absent without a readable pair. */
  readonly shape?: SecretShape;
}

export type SecretSeen =
  | { readonly kind: 'forbidden'; readonly message: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'ours'; readonly facts: SecretFacts };

export type IssuerSeen =
  | { readonly kind: 'missing' }
  /** Made a moment ago: its own reconcile has not said anything yet, and will wake the Certificate. */
  | { readonly kind: 'unseen' }
  | { readonly kind: 'notReady'; readonly message: string }
  /** Signs in this process, so its key need not outlive a crash. */
  | { readonly kind: 'local' }
  /** Signs at once elsewhere (Vault): the CSR leaves this process, so its key must be durable before. */
  | { readonly kind: 'remote' }
  | { readonly kind: 'acme'; readonly path: ProofPath }
  /** Another controller fills the CertificateRequest (issuerRef.group is not ours). */
  | { readonly kind: 'external' };

/** Whether the names can be proven at all over HTTP-01; judged before anything is asked of the CA. */
export type ProofPath = { readonly kind: 'open' } | { readonly kind: 'closed'; readonly message: string };

export interface RequestSeen {
  readonly object: CertificateRequest;
  readonly approval: Approval;
  /** SHA-256 of the CSR's public key; absent when the CSR cannot be read. */
  readonly keyFingerprint?: string;
  /** False when the spec has changed since. */
  readonly matchesSpec: boolean;
  /** Somebody else has made an object of this name; it is not ours to delete. */
  readonly maker?: 'somebody';
  /** `kept`: by its key alone this issuance cannot be told from the one before. */
  readonly key?: 'kept' | 'new';
  /** SHA-256 of the certificate that stands in its status; told only where the key is kept from one issuance to the next. */
  readonly issued?: string;
}

/** What this process holds in memory for the issuance; all of it can be lost and found again. */
export interface AttemptSeen {
  /** `stale`: the spec asks for another kind of key since. */
  readonly key: 'none' | 'held' | 'durable' | 'lost' | 'stale';
  readonly keyFingerprint?: string;
  readonly signed: boolean;
  /** Why this process could not sign; a sentence for the request's status. */
  readonly failure?: string;
  readonly order?: OrderState;
  /** A remote signer cannot sign for now. */
  readonly wait?: Wait;
}

/** Names or an issuer that the platform has not given to the namespace, as a sentence. */
export interface NotAllowed {
  readonly reason: 'NamesNotAllowed' | 'IssuerNotAllowed';
  readonly message: string;
}

export interface CertificateSeen {
  readonly certificate: Certificate;
  readonly secret: SecretSeen;
  readonly issuer: IssuerSeen;
  readonly request?: RequestSeen;
  readonly order?: Order;
  readonly standing: Standing;
  readonly attempt: AttemptSeen;
  /** Key Secrets and requests of earlier revisions. */
  readonly leftovers: { readonly keySecrets: readonly string[]; readonly requests: readonly string[] };
  /** Names or an issuer that this namespace may not have; nothing is approved or signed with them. */
  readonly notAllowed?: NotAllowed;
  /** A key that is to be kept is not of the kind that the spec asks for, as a sentence. */
  readonly unfitKey?: string;
  /** When the issued certificate is to be renewed, epoch ms; absent while there is none. */
  readonly renewAt?: number;
  /** Whether the keystores that the spec asks for can be made, and stand in the Secret. */
  readonly keystores: KeystoresSeen;
  /** In what the Secret differs from the spec although its pair is right. */
  readonly drift: readonly SecretDrift[];
  /** In which parts the request behind the Secret asked for something else than the spec does now, as a sentence. */
  readonly requestChanged?: string;
  /** What is to be replaced although it is good, because it is to be revoked. */
  readonly replacement?: Replacement;
  /** `disabled`: what has been issued is left to expire (spec.renewal.policy). */
  readonly renewal: 'wanted' | 'disabled';
  /** Why the spec cannot be asked for at all, as a sentence. */
  readonly invalid?: string;
  /** No attempt follows a failed one sooner, ms. */
  readonly leastBackOffMs: number;
  /** A write that the API server refused for a reason that may pass (quota, admission, a missing CRD); tried again at `until`, epoch ms. */
  readonly refusal?: { readonly message: string; readonly until: number };
  /** Another Certificate of the namespace that has the older claim to the same Secret. */
  readonly rival?: string;
  /** The Secret is the infrastructure half's, as a sentence. */
  readonly claimedSecret?: string;
  /** What the infrastructure half says of the namespace; absent where it has no say. */
  readonly infra?: InfraHold;
  /** Why nothing may be proven through its Gateways now, as a sentence; absent for names that are proven otherwise. */
  readonly move?: string;
}
