// Which chart a record of Helm's is about. An umbrella chart may have brought Envoy Gateway and other things in one release: its record is its
// owner's and stays. Called by provision/legacy-look.ts, which keeps nothing else of the record: the values in it may be secret.

import { gunzipSync } from 'node:zlib';
import type { Secret } from '../api/core.ts';
import { textAt } from './legacy-fields.ts';

const longest = 32 * 1024 * 1024;

/** Helm 3's Secrets `sh.helm.release.v1.<release>.v<n>`. */
export function isRelease({ type, metadata }: Secret): boolean {
  return type === 'helm.sh/release.v1' && metadata.labels?.owner === 'helm';
}

/** The chart's name; undefined for what cannot be read. The content is gzipped JSON in base64, inside the base64 of every Secret. */
export function chartOf(record: Secret): string | undefined {
  try {
    const text = Buffer.from(record.data?.release ?? '', 'base64').toString('latin1');
    const json: unknown = JSON.parse(gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: longest }).toString());
    return textAt(json, 'chart', 'metadata', 'name');
  } catch {
    return undefined;
  }
}
