// What the annotations of an object say about its Certificates, as one value; made by annotation-table.ts, used by certificate.ts.

import type { KeyAlgorithm, PrivateKeySpec, SecretTemplate, X509Subject } from '../api/certmanager.ts';

export interface Shape {
  readonly commonName?: string;
  readonly altNames?: readonly string[];
  readonly ipSans?: readonly string[];
  readonly emailSans?: readonly string[];
  readonly uriSans?: readonly string[];
  readonly subject?: X509Subject;
  /** Durations in ms. */
  readonly duration?: number;
  readonly renewBefore?: number;
  readonly renewBeforePercentage?: number;
  readonly usages?: readonly string[];
  readonly revisionHistoryLimit?: number;
  readonly privateKey?: PrivateKeySpec;
  readonly secretTemplate?: SecretTemplate;
  readonly ignoredListeners?: readonly string[];
  readonly temporary?: 'wanted';
  readonly editInPlace?: 'wanted';
  readonly ingressClass?: string;
  readonly ingressClassName?: string;
  readonly parentFallback?: 'wanted';
}

/** `b` beside `a`; the parts of subject and private key add up. */
export function merged(a: Shape, b: Shape): Shape {
  return {
    ...a,
    ...b,
    ...(a.subject && b.subject && { subject: { ...a.subject, ...b.subject } }),
    ...(a.privateKey && b.privateKey && { privateKey: { ...a.privateKey, ...b.privateKey } }),
  };
}

const defaultDuration = 2160 * 3_600_000;

/** What is wrong with values that are each fine alone: the annotations at fault by short name, and what is accepted. */
export function contradictions(
  shape: Shape,
): readonly { readonly names: readonly string[]; readonly accepts: string }[] {
  const found = [];
  const { privateKey, renewBefore, renewBeforePercentage, duration = defaultDuration } = shape;
  const size = sizeProblem(privateKey?.algorithm ?? 'RSA', privateKey?.size);
  if (size !== undefined) found.push({ names: ['private-key-size', 'private-key-algorithm'], accepts: size });
  if (renewBefore !== undefined && renewBeforePercentage !== undefined) {
    found.push({ names: ['renew-before', 'renew-before-percentage'], accepts: 'one of them' });
  }
  if (renewBefore !== undefined && renewBefore >= duration) {
    const accepts = 'a renewal time shorter than the duration, which is 2160h where it is not set';
    found.push({ names: ['renew-before', 'duration'], accepts });
  }
  return found;
}

function sizeProblem(algorithm: KeyAlgorithm, size: number | undefined): string | undefined {
  if (size === undefined) return undefined;
  switch (algorithm) {
    case 'RSA':
      return size >= 2048 && size <= 8192 ? undefined : 'a size from 2048 to 8192 for RSA, which is the default';
    case 'ECDSA':
      return [256, 384, 521].includes(size) ? undefined : 'a size of 256, 384 or 521 for ECDSA';
    case 'Ed25519':
      return undefined;
    default:
      return algorithm satisfies never;
  }
}
