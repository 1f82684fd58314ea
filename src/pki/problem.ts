// What can be wrong with keys, requests and certificates, as data. Made by every file of pki/, switched on by plan/ and apply/.
// Messages are for conditions and events: whole sentences that name neither key material nor bytes of the input.

export type PkiProblem =
  | { readonly kind: 'malformed'; readonly what: 'privateKey' | 'csr' | 'certificate'; readonly message: string }
  | {
      readonly kind: 'unsupported';
      readonly what: 'key' | 'signature' | 'subject' | 'name' | 'usage';
      readonly message: string;
    }
  | { readonly kind: 'badSignature'; readonly message: string }
  | { readonly kind: 'keyMismatch'; readonly message: string }
  | { readonly kind: 'notAuthority'; readonly message: string }
  | { readonly kind: 'authorityExpired'; readonly message: string }
  | { readonly kind: 'disagrees'; readonly message: string };

export function refuse(problem: PkiProblem): { readonly ok: false; readonly problem: PkiProblem } {
  return { ok: false, problem };
}
