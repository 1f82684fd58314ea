// What a token is good for, asked of Vault itself before anything is signed with it. Called by apply/vault-session.ts when an issuer is verified.

import { fieldOf, listOf, parseJson, readText } from '../acme/json.ts';
import type { Reply } from '../api/reply.ts';
import type { VaultHttp } from './http.ts';
import { policyPath } from './paths.ts';
import { fail, type VaultProblem } from './problem.ts';

/** Whether Vault knows the token. One that may not look itself up is a good one all the same. */
export async function checkToken(http: VaultHttp, token: string): Promise<Reply<undefined, VaultProblem>> {
  const reply = await http.ask('lookup', { method: 'GET', path: 'auth/token/lookup-self', token });
  if (reply.ok || (isRefusal(reply.problem) && !isBadToken(reply.problem))) return { ok: true, value: undefined };
  return isBadToken(reply.problem) ? fail('denied', 'The token is not valid, or has expired.') : reply;
}

/** Whether the token's policies let it sign. A token that may not ask is believed until it is refused. */
export async function checkPolicy(
  http: VaultHttp,
  token: string,
  signPath: string,
): Promise<Reply<undefined, VaultProblem>> {
  const path = policyPath(signPath);
  const body = { paths: [path] };
  const reply = await http.ask('capabilities', { method: 'POST', path: 'sys/capabilities-self', token, body });
  if (!reply.ok && isBadToken(reply.problem)) return fail('denied', 'The token is not valid, or has expired.');
  if (!reply.ok) return isRefusal(reply.problem) ? { ok: true, value: undefined } : reply;
  const answer = parseJson(reply.value.body);
  const found = listOf(fieldOf(fieldOf(answer, 'data'), path) ?? fieldOf(answer, path), readText) ?? [];
  const suffices = found.length === 0 || found.some((word) => word === 'update' || word === 'root');
  return suffices ? { ok: true, value: undefined } : fail('denied', `The token may not sign: ${missingPolicy(path)}`);
}

/** The policy that a token for this issuer needs. */
export function missingPolicy(path: string): string {
  return `it needs a policy with path "${policyPath(path)}" { capabilities = ["create", "update"] }.`;
}

export function isBadToken(problem: VaultProblem): boolean {
  return problem.kind === 'denied' && /\b(invalid|bad) token\b|token (is )?expired/i.test(problem.detail);
}

function isRefusal(problem: VaultProblem): boolean {
  return problem.kind === 'denied' || problem.kind === 'refused';
}
