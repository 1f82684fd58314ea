// Loads what a CA issuer signs with from its Secret, once per resourceVersion. Called by issuer.ts (is it usable?) and perform-sign.ts.

import type { KeyObject } from 'node:crypto';
import type { Issuer } from '../api/certmanager.ts';
import type { Secret } from '../api/core.ts';
import { secrets } from '../api/resources.ts';
import { readAuthority } from '../pki/authority.ts';
import { splitPem } from '../pki/certificate.ts';
import { keyFromPem } from '../pki/keys.ts';
import { issuerKey, secretNamespace } from './issuer-of.ts';
import type { Ports } from './ports.ts';
import { decode } from './secret-content.ts';

export interface Signer {
  readonly chain: readonly string[];
  /** The Secret's ca.crt, where the chain in tls.crt ends below the root. */
  readonly extra: readonly string[];
  readonly key: KeyObject;
}

export type SignerFound =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'absent' | 'unusable' | 'forbidden'; readonly message: string }
  /** Whether it has ended by now (`notAfter`, epoch ms) is for the caller to see: what is remembered here has no clock. */
  | { readonly kind: 'ready'; readonly signer: Signer; readonly notAfter: number };

interface Known {
  readonly resourceVersion: string | undefined;
  readonly found: SignerFound;
}

export type Signers = (ports: Ports, issuer: Issuer) => Promise<SignerFound>;

/** Parsed signing keys by issuer; a changed Secret is read again. */
export function signers(): Signers {
  const known = new Map<string, Known>();
  return async (ports, issuer) => {
    const name = issuer.spec.ca?.secretName ?? '';
    const namespace = secretNamespace(ports, issuer);
    const watch = ports.secrets.named(namespace, name);
    if (watch.kind === 'waiting') return watch;
    if (watch.kind === 'forbidden') return { kind: 'forbidden', message: forbidden(namespace, name) };
    const metadata = watch.store.get(`${namespace}/${name}`);
    const absent = `Secret "${namespace}/${name}" with the CA's tls.crt and tls.key does not exist.`;
    if (metadata === undefined) return { kind: 'absent', message: absent };
    const last = known.get(issuerKey(issuer));
    if (last !== undefined && last.resourceVersion === metadata.metadata.resourceVersion) return last.found;
    const read = await ports.kube.get(secrets, { namespace, name });
    if (!read.ok) return { kind: 'absent', message: read.problem.kind === 'notFound' ? absent : read.problem.message };
    const found = readSigner(`${namespace}/${name}`, read.value);
    known.set(issuerKey(issuer), { resourceVersion: read.value.metadata.resourceVersion, found });
    return found;
  };
}

function readSigner(name: string, secret: Secret): SignerFound {
  const unusable = (what: string): SignerFound => ({ kind: 'unusable', message: `Secret "${name}": ${what}` });
  const key = keyFromPem(decode(secret, 'tls.key'));
  if (!key.ok) return unusable(key.problem.message);
  const source = {
    chain: splitPem(decode(secret, 'tls.crt')),
    extra: splitPem(decode(secret, 'ca.crt')),
    key: key.value,
  };
  const authority = readAuthority(source);
  if (!authority.ok) return unusable(authority.problem.message);
  return { kind: 'ready', signer: source, notAfter: authority.value.signer.notAfter };
}

function forbidden(namespace: string, name: string): string {
  return `Certway may not read Secret "${name}" in namespace "${namespace}"; run: certway grant ${namespace} | kubectl apply -f -`;
}
