// PEM text (RFC 7468) to and from bytes. Called wherever Secrets, CSRs and certificate chains cross the boundary.

/** One block with lines of 64 characters and a final newline. */
export function derToPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** The bytes of the first block with this label, or undefined. */
export function pemToDer(label: string, pem: string): Buffer | undefined {
  const begin = `-----BEGIN ${label}-----`;
  const start = pem.indexOf(begin);
  const end = start < 0 ? -1 : pem.indexOf(`-----END ${label}-----`, start);
  if (end < 0) return undefined;
  const body = pem.slice(start + begin.length, end).replaceAll(/\s/g, '');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(body) ? Buffer.from(body, 'base64') : undefined;
}

/** Every certificate of a bundle as its own PEM text, in order; anything between the blocks is dropped. */
export function splitPem(bundle: string): readonly string[] {
  const end = '-----END CERTIFICATE-----';
  return bundle
    .split(end)
    .slice(0, -1)
    .flatMap((part) => {
      const start = part.indexOf('-----BEGIN CERTIFICATE-----');
      return start < 0 ? [] : [`${part.slice(start).replaceAll('\r\n', '\n').trimEnd()}\n${end}\n`];
    });
}
