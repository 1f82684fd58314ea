// Whether a Vault server is up: initialized, unsealed, and Vault at all. Asked before any login, so that an outage is told as one.
// Called by apply/vault-session.ts.

import type { HttpReply } from '../acme/http-reply.ts';
import { fieldOf, parseJson } from '../acme/json.ts';
import type { Reply } from '../api/reply.ts';
import type { VaultHttp } from './http.ts';
import { fail, problemOf, type VaultProblem } from './problem.ts';

/** `undefined` as value: it is up. Standbys and secondaries count as up, since they forward what they cannot do. */
export async function askHealth(http: VaultHttp): Promise<Reply<undefined, VaultProblem>> {
  const reply = await http.send('health', { method: 'GET', path: 'sys/health' });
  return reply.ok ? judge(reply.value, http.connection.server.host) : reply;
}

function judge(reply: HttpReply, host: string): Reply<undefined, VaultProblem> {
  const body = parseJson(reply.body);
  if (typeof fieldOf(body, 'initialized') !== 'boolean' || typeof fieldOf(body, 'sealed') !== 'boolean') {
    const problem = problemOf(reply, host, []);
    const stranger = `${host} answered ${reply.status}, but not as Vault does; check spec.vault.server.`;
    return problem === undefined ? fail('unavailable', stranger) : { ok: false, problem };
  }
  switch (reply.status) {
    case 200: // active
    case 429: // standby
    case 472: // disaster recovery secondary
    case 473: // performance standby
      return { ok: true, value: undefined };
    case 474:
      return fail('unavailable', `The Vault at ${host} has lost its active node.`);
    case 501:
      return fail('unavailable', `The Vault at ${host} is not initialized; run "vault operator init".`);
    case 503:
      return fail('unavailable', `The Vault at ${host} is sealed; unseal it.`);
    case 530:
      return fail('unavailable', `The Vault at ${host} was removed from its cluster; name another node.`);
    default:
      return fail('unavailable', `The Vault at ${host} answered ${reply.status} to sys/health.`);
  }
}
