// What an account was refused, from the API server's audit log. Called by the stories about rights.

import { readFile } from 'node:fs/promises';
import { inject } from 'vitest';

export const gatewayAccount = 'system:serviceaccount:envoy-gateway-system:envoy-gateway';
export const infraAccount = 'system:serviceaccount:certway-system:certway-infra';

interface Event {
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
}

/** "verb resource/subresource namespace" of every request that was answered 403 since then (epoch ms), each once. */
export async function refusedTo(account: string, since = 0): Promise<readonly string[]> {
  const lines = (await readFile(inject('auditLog'), 'utf8')).split('\n').filter((line) => line.includes(account));
  const events = lines.map((line): Event => JSON.parse(line));
  const refused = events.filter(
    ({ user, responseStatus, requestReceivedTimestamp }) =>
      user.username === account && responseStatus?.code === 403 && Date.parse(requestReceivedTimestamp) >= since,
  );
  return [...new Set(refused.map(told))];
}

function told({ verb, objectRef }: Event): string {
  const { resource = '', subresource, namespace = '' } = objectRef ?? {};
  return [verb, subresource === undefined ? resource : `${resource}/${subresource}`, namespace].join(' ').trim();
}
