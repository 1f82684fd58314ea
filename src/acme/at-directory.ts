// Posts to the addresses that the directory names, and once more where the CA has moved one since the directory was read: then nothing has
// happened at the old address. Called by account.ts, order.ts, key-change.ts and revocation.ts.

import type { AcmeProblem } from './problem.ts';
import type { AcmeReply } from './session.ts';
import type { AcmeEndpoint, SignedRequest } from './transport.ts';

export type Place = 'newAccount' | 'newOrder' | 'keyChange' | 'revokeCert';

type Draft<T> = Omit<SignedRequest<T>, 'url' | 'signal' | 'action'>;

/** `draft` makes the request for an address, which some of them sign a second time. A CA without the address refuses here, with status 0. */
export async function postTo<T>(
  endpoint: AcmeEndpoint,
  place: Place,
  draft: (url: string) => Draft<T> | Promise<Draft<T>>,
  signal?: AbortSignal,
): Promise<AcmeReply<T>> {
  const directory = await endpoint.directory(signal);
  if (!directory.ok) return directory;
  const url = directory.value[place];
  if (url === undefined) return lacking(place);
  const reply = await endpoint.post({ action: place, url, signal, ...(await draft(url)) });
  if (reply.ok || !isGone(reply.problem)) return reply;
  const again = await endpoint.directory(signal);
  // Nothing has happened yet, and where it should happen is not known: that may pass, unlike a refusal.
  if (!again.ok) return again;
  const moved = again.value[place];
  if (moved === undefined || moved === url) return reply;
  return endpoint.post({ action: place, url: moved, signal, ...(await draft(moved)) });
}

function isGone(problem: AcmeProblem): boolean {
  return problem.kind === 'refused' && (problem.status === 404 || problem.status === 405 || problem.status === 410);
}

function lacking(place: Place): { readonly ok: false; readonly problem: AcmeProblem } {
  const detail = `The CA's directory names no ${place}: it cannot be asked for that.`;
  return { ok: false, problem: { kind: 'refused', status: 0, type: 'unsupported', detail, subproblems: [] } };
}
