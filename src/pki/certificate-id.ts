// The identifier by which an ACME CA knows one of its certificates (RFC 9773 §4.1). Called when an order names the certificate that it replaces.

import type { CertificateFacts } from './certificate.ts';

/** Both parts base64url: the authority's key identifier, and the serial as DER writes it, with the zero before a high bit. Undefined without the former. */
export function certificateId({ authorityKeyId, serial }: CertificateFacts): string | undefined {
  if (authorityKeyId === undefined) return undefined;
  const digits = serial.replace(/^(00)+(?=..)/, '');
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  const isHigh = (bytes[0] ?? 0) >= 0x80;
  const integer = isHigh ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
  return `${authorityKeyId.toString('base64url')}.${integer.toString('base64url')}`;
}
