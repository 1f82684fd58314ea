// A solver that somebody runs as an aggregated API (cert-manager's webhook.acme.cert-manager.io/v1alpha1): it is told what to write, and does it.
// Made by make-provider.ts. Existing webhooks work as they are; they let our ServiceAccount in by RBAC, as they let cert-manager's.

import { randomUUID } from 'node:crypto';
import { fieldOf, readText } from '../acme/json.ts';
import type { WebhookSolver } from '../api/dns01-solver.ts';
import type { Reply } from '../api/reply.ts';
import type { KubeProblem } from '../kube/problem.ts';
import type { Session } from '../kube/session.ts';
import { bare } from './names.ts';
import { type DnsProblem, failed, rateLimited, said } from './problem.ts';
import { type DnsProvider, done, settledAtOnce, type TxtRecord } from './provider.ts';

export interface WebhookOptions {
  readonly session: Pick<Session, 'request'>;
  readonly solver: WebhookSolver;
  /** Where the solver looks for the Secrets that its config names. */
  readonly resourceNamespace: string;
  readonly ambientCredentials: 'allowed' | 'forbidden';
  readonly now: () => number;
}

/** Webhooks may talk to slow providers before they answer. */
export const longestCallMs = 60_000;
const coolDownMs = 60_000;

export function webhookProvider(options: WebhookOptions): DnsProvider {
  return {
    present: async (record, signal) => {
      const presented = await call(options, 'Present', record, signal);
      return presented.ok ? { ok: true, value: {} } : presented;
    },
    settled: settledAtOnce,
    cleanUp: (record, _, signal) => call(options, 'CleanUp', record, signal),
  };
}

async function call(
  options: WebhookOptions,
  action: 'Present' | 'CleanUp',
  record: TxtRecord,
  signal: AbortSignal,
): Promise<Reply<undefined, DnsProblem>> {
  const { groupName, solverName } = options.solver;
  const uid = randomUUID();
  const answer = await options.session.request<unknown>({
    method: 'POST',
    path: `/apis/${encodeURIComponent(groupName)}/v1alpha1/${encodeURIComponent(solverName)}`,
    body: {
      apiVersion: 'webhook.acme.cert-manager.io/v1alpha1',
      kind: 'ChallengePayload',
      request: requestOf(options, { uid, action }, record),
    },
    timeoutMs: longestCallMs,
    signal,
  });
  if (!answer.ok) return unreached(options, answer.problem);
  return outcomeOf(options, fieldOf(answer.value, 'response'), uid);
}

function requestOf(
  { solver, resourceNamespace, ambientCredentials }: WebhookOptions,
  of: { readonly uid: string; readonly action: string },
  record: TxtRecord,
): object {
  return {
    ...of,
    type: 'dns-01',
    dnsName: record.dnsName,
    key: record.value,
    resourceNamespace,
    resolvedFQDN: record.fqdn,
    resolvedZone: record.zone,
    allowAmbientCredentials: ambientCredentials === 'allowed',
    ...(solver.config !== undefined && { config: solver.config }),
  };
}

function outcomeOf(options: WebhookOptions, response: unknown, uid: string): Reply<undefined, DnsProblem> {
  const name = nameOf(options);
  const success = fieldOf(response, 'success');
  const answered = readText(fieldOf(response, 'uid')) ?? '';
  if (typeof success !== 'boolean') return failed('unavailable', `${name} answers without a response.`);
  // Some leave the uid out; one that is there must be ours.
  if (answered !== '' && answered !== uid) return failed('unavailable', `${name} answers another request.`);
  if (success) return done;
  const status = fieldOf(response, 'status');
  const why = said(readText(fieldOf(status, 'message')) ?? '');
  const message = `${name} failed: ${why === '' ? 'it does not say why' : why}.`;
  const code = fieldOf(status, 'code');
  if (code === 429) return rateLimited(message, options.now() + coolDownMs);
  return failed(code === 401 || code === 403 ? 'refused' : 'unavailable', message);
}

function unreached(options: WebhookOptions, problem: KubeProblem): Reply<never, DnsProblem> {
  const { groupName, solverName } = options.solver;
  const name = nameOf(options);
  const detail = said(problem.message);
  switch (problem.kind) {
    case 'forbidden': {
      const remedy = `bind a ClusterRole that may create ${solverName} in the API group ${groupName} to this controller’s ServiceAccount`;
      return failed('refused', `${name} may not be called: ${detail}; ${remedy}.`);
    }
    case 'notFound':
      return failed(
        'misconfigured',
        `The cluster has no API ${groupName}/v1alpha1 with ${solverName}: install the webhook, or correct webhook.groupName and webhook.solverName.`,
      );
    case 'invalid':
      return failed('refused', `${name} refuses the request: ${detail}.`);
    case 'throttled':
      return rateLimited(`${name} asks to slow down.`, options.now() + problem.retryAfterMs);
    case 'gone':
    case 'conflict':
    case 'alreadyExists':
    case 'unauthorized':
    case 'unavailable':
    case 'notLeader':
    case 'contested':
      return failed('unavailable', `${name} cannot be reached through the API server: ${detail}.`);
    default:
      return problem satisfies never;
  }
}

function nameOf({ solver }: WebhookOptions): string {
  return `The DNS webhook ${bare(solver.groupName)}/${solver.solverName}`;
}
