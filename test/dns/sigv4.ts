// AWS's signature, version 4, computed from its documentation («Create a signed AWS API request»), so that what the SDK sends is checked by
// something else than the SDK.

import { createHash, createHmac } from 'node:crypto';
import type { Asked } from './loopback-api.ts';

/** Whether the request is signed with the secret, and by which access key, for which region and service. */
export function signatureOf({ method, path, headers, body }: Asked, secret: string) {
  const given =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
  const [, accessKey = '', date = '', region = '', service = '', signed = '', signature = ''] =
    given.exec(headers.authorization ?? '') ?? [];
  const [route = '', query = ''] = path.split('?');
  const canonical = [
    method,
    route,
    query.split('&').toSorted().join('&'),
    ...signed.split(';').map((name) => `${name}:${String(headers[name]).trim().replaceAll(/ +/g, ' ')}`),
    '',
    signed,
    sha256(body),
  ].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = [date, region, service, 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${secret}`);
  const valid = hmac(key, toSign).toString('hex') === signature;
  return { valid, accessKey, region, service, covers: signed.split(';') };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
