// Which keystores a spec asks for and where their passwords stand. Called by secret-drift.ts, and by apply/ to gather and to write them.

import type { CertificateSpec, KeystorePassword, Pkcs12Profile } from '../api/certmanager.ts';
import { type KeystoreFile, keystoreFiles } from '../keystore/keystores.ts';
import { defaultProfile } from '../keystore/profiles.ts';

export type PasswordSource =
  | { readonly kind: 'literal'; readonly password: string }
  | { readonly kind: 'secret'; readonly name: string; readonly key: string };

export type WantedKeystore =
  | { readonly kind: 'pkcs12'; readonly profile: Pkcs12Profile; readonly password: PasswordSource }
  | { readonly kind: 'jks'; readonly alias: string; readonly password: PasswordSource };

type Keystores = Pick<CertificateSpec, 'keystores'>;

const longestAlias = 1000;

export function wantedKeystores({ keystores: { pkcs12, jks } = {} }: Keystores): readonly WantedKeystore[] {
  return [
    ...(pkcs12?.create === true
      ? [{ kind: 'pkcs12', profile: pkcs12.profile ?? defaultProfile, password: sourceOf(pkcs12) } as const]
      : []),
    ...(jks?.create === true
      ? [{ kind: 'jks', alias: jks.alias ?? 'certificate', password: sourceOf(jks) } as const]
      : []),
  ];
}

function sourceOf({ passwordSecretRef: ref, password = '' }: KeystorePassword): PasswordSource {
  return ref === undefined || ref.name === ''
    ? { kind: 'literal', password }
    : { kind: 'secret', name: ref.name, key: ref.key ?? '' };
}

/** The names of the Secrets that hold its passwords, in the Certificate's namespace. */
export function passwordSecrets(spec: Keystores): readonly string[] {
  const names = wantedKeystores(spec).flatMap(({ password }) => (password.kind === 'secret' ? [password.name] : []));
  return [...new Set(names)];
}

/** The files that belong into the Secret; truststores only where the issuer has given a CA. */
export function wantedFiles(spec: Keystores, trust: 'hasCa' | 'noCa'): readonly KeystoreFile[] {
  return wantedKeystores(spec).flatMap(({ kind }) => {
    const { keystore, truststore } = keystoreFiles[kind];
    return trust === 'hasCa' ? [keystore, truststore] : [keystore];
  });
}

/** Why the keystores cannot be made whatever the Secrets hold, as a sentence; an API server with cert-manager's own CRDs checks none of this. */
export function keystoreMistake(spec: Keystores): string | undefined {
  for (const wanted of wantedKeystores(spec)) {
    const field = `spec.keystores.${wanted.kind}`;
    const { password } = wanted;
    if (password.kind === 'literal' && password.password === '') {
      return `${field} has no password: set passwordSecretRef, or a password that is not empty.`;
    }
    if (password.kind === 'secret' && password.key === '') {
      return `${field}.passwordSecretRef does not say which key of Secret "${password.name}" holds the password: set key.`;
    }
    if (wanted.kind === 'jks' && wanted.alias.length > longestAlias) {
      return `${field}.alias is longer than ${longestAlias} characters.`;
    }
  }
  return undefined;
}
