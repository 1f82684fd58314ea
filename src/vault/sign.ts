// Has a request signed by Vault's PKI engine and checks what comes back: a certificate for the very key that asked, and its chain.
// Called by apply/vault-session.ts.

import { fieldOf, listOf, parseJson, readText } from '../acme/json.ts';
import type { Reply } from '../api/reply.ts';
import { readCertificate, splitPem } from '../pki/certificate.ts';
import { type CsrFacts, derToPem } from '../pki/csr.ts';
import { publicKeysEqual } from '../pki/keys.ts';
import { type Chain, chainOf } from './chain.ts';
import type { VaultHttp } from './http.ts';
import { policyPath } from './paths.ts';
import { fail, type VaultProblem } from './problem.ts';
import { isBadToken, missingPolicy } from './token.ts';

export interface SignWish {
  /** spec.vault.path: "pki/sign/my-role". */
  readonly path: string;
  readonly csr: CsrFacts;
  readonly durationMs: number;
}

/** 403, and 404 and 405 for a path where nothing signs, are `denied`: an issuer's matter, and no fault of the request. */
export async function askSignature(
  http: VaultHttp,
  token: string,
  wish: SignWish,
): Promise<Reply<Chain, VaultProblem>> {
  const path = policyPath(wish.path);
  const reply = await http.ask('sign', { method: 'POST', path, token, body: bodyOf(wish) });
  if (reply.ok) return readChain(parseJson(reply.value.body), wish.csr);
  const { problem } = reply;
  if (problem.kind === 'denied' && !isBadToken(problem)) {
    return fail(
      'denied',
      `Vault refuses to sign at ${path}: ${problem.detail}. The token may lack a policy: ${missingPolicy(path)}`,
    );
  }
  if (problem.kind === 'refused' && (problem.status === 404 || problem.status === 405)) {
    return fail(
      'denied',
      `Nothing signs at ${path} in Vault (${problem.detail}); correct spec.vault.path of the issuer.`,
    );
  }
  return problem.kind === 'refused'
    ? { ok: false, problem: { ...problem, detail: `Vault refuses to sign at ${path}: ${problem.detail}` } }
    : reply;
}

/** Roles decide whether they take the names from here or from the CSR, so both say the same. */
function bodyOf({ csr, durationMs }: SignWish): Readonly<Record<string, unknown>> {
  const { commonName = '', dnsNames, ipAddresses, uris, emailAddresses, otherNames = [] } = csr.names;
  return {
    csr: derToPem('CERTIFICATE REQUEST', csr.der),
    common_name: commonName,
    alt_names: [...dnsNames, ...emailAddresses].join(','),
    ip_sans: ipAddresses,
    // Lists, since a URI or a value may hold a comma.
    uri_sans: uris,
    other_sans: otherNames.map(({ oid, utf8Value }) => `${oid};UTF8:${utf8Value}`),
    ttl: `${Math.floor(durationMs / 1000)}s`,
    // Else Vault adds the common name to the alternative names unasked.
    exclude_cn_from_sans: true,
  };
}

function readChain(body: unknown, csr: CsrFacts): Reply<Chain, VaultProblem> {
  const data = fieldOf(body, 'data');
  const [leafPem = ''] = splitPem(readText(fieldOf(data, 'certificate')) ?? '');
  const leaf = readCertificate(leafPem);
  if (!leaf.ok) return fail('malformed', 'Vault’s answer holds no PEM certificate.');
  if (!publicKeysEqual(leaf.value.publicKey, csr.publicKey)) {
    return fail('malformed', 'Vault’s certificate is for another key than the request.');
  }
  const above = [...(listOf(fieldOf(data, 'ca_chain'), readText) ?? []), readText(fieldOf(data, 'issuing_ca')) ?? ''];
  const chain = chainOf(leafPem, above);
  return chain === undefined ? fail('malformed', 'Vault’s certificate cannot be read.') : { ok: true, value: chain };
}
