// The additional output formats of key and chain, byte for byte as cert-manager writes them. Called by apply/ to write and to compare.

import type { OutputFormat } from '../api/certmanager.ts';

export const formatFiles = { DER: 'key.der', CombinedPEM: 'tls-combined.pem' } as const satisfies Record<
  OutputFormat['type'],
  string
>;

/** `DER`: the key in the encoding of its PEM. `CombinedPEM`: key and chain with an empty line between. */
export function outputFormat(type: OutputFormat['type'], keyPem: string, chainPem: string): Buffer {
  switch (type) {
    case 'DER':
      return derOf(keyPem);
    case 'CombinedPEM':
      return Buffer.from(`${keyPem}\n${chainPem}`);
    default:
      throw new Error(`no such output format: ${type satisfies never}`);
  }
}

function derOf(pem: string): Buffer {
  const [, body = ''] = /-----BEGIN [A-Z ]*PRIVATE KEY-----([^-]*)-----END/.exec(pem) ?? [];
  return Buffer.from(body, 'base64');
}
