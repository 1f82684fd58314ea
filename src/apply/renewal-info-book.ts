// What this process knows of the certificates that an ACME CA may speak about (RFC 9773). In memory alone: what users see of it, and what holds after a
// restart, is status.renewalTime. Filled by renewal-info-due.ts, answered by renewal-info.ts.

import type { Suggested } from '../plan/renewal-info.ts';
import type { Life } from '../plan/renewal-spread.ts';

export interface KnownRenewal {
  /** RFC 9773 §4.1: of the certificate in the target Secret. */
  readonly certId: string;
  readonly life: Life;
  /** `none`: the CA has no renewal information. `failed`: asked once at least, and nothing heard yet. */
  readonly answer: 'unasked' | 'heard' | 'none' | 'failed';
  /** Epoch ms. */
  readonly seenAt: number;
  readonly askAt: number;
  /** In a row. */
  readonly failures: number;
  /** What an earlier process had decided, as status.renewalTime tells it, epoch ms. */
  readonly remembered?: number;
  /** Kept while later questions fail. */
  readonly suggested?: Suggested;
  /** URL of the account that the issuer had when it was heard. */
  readonly heardBy?: string;
}

/** By the key of the Certificate, "namespace/name". */
export type RenewalBook = Map<string, KnownRenewal>;
