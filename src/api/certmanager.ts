// cert-manager.io/v1 as its users write it. Field names are the published API's; only the fields that we act on are typed.

import type { Dns01Solver } from './dns01-solver.ts';
import type { ParentRef } from './gateway.ts';
import type { Condition, KubeObject } from './meta.ts';
import type { VaultIssuer } from './vault-issuer.ts';

export interface IssuerRef {
  readonly name: string;
  readonly kind?: string;
  readonly group?: string;
}

export type KeyAlgorithm = 'RSA' | 'ECDSA' | 'Ed25519';
export type KeyEncoding = 'PKCS1' | 'PKCS8';
export type RotationPolicy = 'Always' | 'Never';

export interface PrivateKeySpec {
  readonly algorithm?: KeyAlgorithm;
  readonly encoding?: KeyEncoding;
  readonly size?: number;
  readonly rotationPolicy?: RotationPolicy;
}

export interface X509Subject {
  readonly organizations?: readonly string[];
  readonly countries?: readonly string[];
  readonly organizationalUnits?: readonly string[];
  readonly localities?: readonly string[];
  readonly provinces?: readonly string[];
  readonly streetAddresses?: readonly string[];
  readonly postalCodes?: readonly string[];
  readonly serialNumber?: string;
}

export interface SecretTemplate {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface OtherName {
  /** Dotted, as in "1.3.6.1.4.1.311.20.2.3". The API lets both fields be left out; checkRequest does not. */
  readonly oid?: string;
  readonly utf8Value?: string;
}

export interface NameConstraintItem {
  readonly dnsDomains?: readonly string[];
  /** CIDR. */
  readonly ipRanges?: readonly string[];
  readonly emailAddresses?: readonly string[];
  readonly uriDomains?: readonly string[];
}

export interface NameConstraints {
  readonly critical?: boolean;
  readonly permitted?: NameConstraintItem;
  readonly excluded?: NameConstraintItem;
}

export type SignatureAlgorithm =
  | 'SHA256WithRSA'
  | 'SHA384WithRSA'
  | 'SHA512WithRSA'
  | 'ECDSAWithSHA256'
  | 'ECDSAWithSHA384'
  | 'ECDSAWithSHA512'
  | 'PureEd25519';

export interface RenewalWindow {
  /** IANA name; UTC where absent. */
  readonly timezone?: string;
  /** Five fields: when the window opens. */
  readonly cron: string;
  readonly windowDuration: string;
}

export interface CertificateRenewal {
  readonly policy?: 'RenewBefore' | 'Disabled';
  readonly windows?: readonly RenewalWindow[];
}

export type Pkcs12Profile = 'LegacyRC2' | 'LegacyDES' | 'Modern2023' | 'Modern2026';

/** One of the two says the password; a name of "" counts as none. */
export interface KeystorePassword {
  readonly passwordSecretRef?: SecretKeySelector;
  readonly password?: string;
}

export interface Pkcs12Spec extends KeystorePassword {
  readonly create: boolean;
  readonly profile?: Pkcs12Profile;
}

export interface JksSpec extends KeystorePassword {
  readonly create: boolean;
  readonly alias?: string;
}

export interface Keystores {
  readonly pkcs12?: Pkcs12Spec;
  readonly jks?: JksSpec;
}

export interface OutputFormat {
  readonly type: 'DER' | 'CombinedPEM';
}

/** Durations are Go duration strings as users write them ("2160h"). */
export interface CertificateSpec {
  readonly secretName: string;
  readonly issuerRef: IssuerRef;
  readonly commonName?: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly uris?: readonly string[];
  readonly emailAddresses?: readonly string[];
  readonly subject?: X509Subject;
  readonly duration?: string;
  readonly renewBefore?: string;
  readonly renewBeforePercentage?: number;
  readonly usages?: readonly string[];
  readonly isCA?: boolean;
  readonly privateKey?: PrivateKeySpec;
  readonly secretTemplate?: SecretTemplate;
  readonly revisionHistoryLimit?: number;
  readonly renewal?: CertificateRenewal;
  /** RFC 4514; the first part of the text is the last of the name. */
  readonly literalSubject?: string;
  readonly otherNames?: readonly OtherName[];
  readonly nameConstraints?: NameConstraints;
  readonly signatureAlgorithm?: SignatureAlgorithm;
  /** Whether the CSR carries the usages; true where absent. */
  readonly encodeUsagesInRequest?: boolean;
  readonly keystores?: Keystores;
  readonly additionalOutputFormats?: readonly OutputFormat[];
}

export interface CertificateStatus {
  readonly conditions?: readonly Condition[];
  readonly lastFailureTime?: string;
  readonly failedIssuanceAttempts?: number;
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly renewalTime?: string;
  readonly revision?: number;
  readonly nextPrivateKeySecretName?: string;
}

export interface Certificate extends KubeObject {
  readonly spec: CertificateSpec;
  readonly status?: CertificateStatus;
}

export interface CertificateRequest extends KubeObject {
  readonly spec: {
    readonly issuerRef: IssuerRef;
    /** Base64 of a PEM CSR. */
    readonly request: string;
    readonly duration?: string;
    readonly isCA?: boolean;
    readonly usages?: readonly string[];
  };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    /** Base64 of PEM. */
    readonly certificate?: string;
    readonly ca?: string;
    readonly failureTime?: string;
  };
}

export interface SecretKeySelector {
  readonly name: string;
  readonly key?: string;
}

export interface SolverSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly dnsNames?: readonly string[];
  readonly dnsZones?: readonly string[];
}

export interface AcmeSolver {
  readonly selector?: SolverSelector;
  readonly http01?: {
    readonly gatewayHTTPRoute?: {
      readonly parentRefs?: readonly ParentRef[];
      readonly labels?: Readonly<Record<string, string>>;
    };
    readonly ingress?: unknown;
  };
  readonly dns01?: Dns01Solver;
  /** Go duration: wait so long after presenting instead of looking ourselves. */
  readonly waitInsteadOfSelfCheck?: string;
}

export interface AcmeIssuerSpec {
  readonly server: string;
  readonly email?: string;
  readonly privateKeySecretRef: SecretKeySelector;
  /** Base64 of PEM. */
  readonly caBundle?: string;
  readonly skipTLSVerify?: boolean;
  readonly preferredChain?: string;
  readonly profile?: string;
  readonly disableAccountKeyGeneration?: boolean;
  readonly externalAccountBinding?: { readonly keyID: string; readonly keySecretRef: SecretKeySelector };
  readonly solvers?: readonly AcmeSolver[];
}

export interface IssuerSpec {
  readonly acme?: AcmeIssuerSpec;
  readonly ca?: {
    readonly secretName: string;
    readonly crlDistributionPoints?: readonly string[];
    readonly ocspServers?: readonly string[];
    readonly issuingCertificateURLs?: readonly string[];
  };
  readonly selfSigned?: { readonly crlDistributionPoints?: readonly string[] };
  readonly vault?: VaultIssuer;
  readonly venafi?: unknown;
}

/** Issuer and ClusterIssuer share this shape; `kind` and `metadata.namespace` tell them apart. */
export interface Issuer extends KubeObject {
  readonly spec: IssuerSpec;
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly acme?: {
      readonly uri?: string;
      readonly lastRegisteredEmail?: string;
      readonly lastPrivateKeyHash?: string;
    };
  };
}
