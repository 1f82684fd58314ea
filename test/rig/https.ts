// One HTTPS GET that trusts a world's own CA: readiness probes, and the roots that Pebble shows on its management port.

import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Files } from './certificates.ts';

export interface Trust {
  readonly caPem: string;
  readonly client?: Files;
}

const timeoutMs = 5_000;
const headers = { 'user-agent': 'certway-rig' }; // Pebble answers 400 without (RFC 8555 §6.1)

/** Status and body of a GET; rejects when there is no connection. */
export async function get(url: string, { caPem, client }: Trust): Promise<{ status: number; body: string }> {
  const identity =
    client === undefined ? {} : { cert: await readFile(client.certificate), key: await readFile(client.key) };
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca: caPem, agent: false, timeout: timeoutMs, headers, ...identity }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer from ${url} within ${timeoutMs} ms`)));
    asked.on('error', reject);
    asked.end();
  });
}
