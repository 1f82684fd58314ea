// The door: argv and environment become one Config, or every mistake at once. Nothing else in src reads either.

import type { Reply } from './api/reply.ts';
import { type AccountArgs, type RevokeArgs, readAccountArgs, readRevokeArgs } from './cli/account-args.ts';
import { type BudgetArgs, readBudgetArgs } from './cli/budget-args.ts';
import type { CheckWish } from './cli/check.ts';
import { readCheckArgs } from './cli/check-args.ts';
import type { StatusWish } from './cli/status.ts';
import { readStatusArgs } from './cli/status-args.ts';
import { type ControllerConfig, readController, resolveOf } from './controller-config.ts';
import { durationOf } from './flag-values.ts';
import { defaultValues, usage } from './flags.ts';
import { type InfraConfig, readInfra } from './infra-config.ts';

export interface GrantConfig {
  readonly command: 'grant';
  readonly namespaces: readonly string[];
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
}

export interface HelpConfig {
  readonly command: 'help';
  readonly text: string;
}

export interface StatusConfig extends StatusWish {
  readonly command: 'status';
}

export interface CheckConfig extends CheckWish {
  readonly command: 'check';
}

export interface BudgetConfig extends BudgetArgs {
  readonly command: 'budget';
}

export interface AccountConfig extends AccountArgs {
  readonly command: 'account';
}

export interface RevokeConfig extends RevokeArgs {
  readonly command: 'revoke';
}

export type Config =
  | ControllerConfig
  | InfraConfig
  | GrantConfig
  | StatusConfig
  | CheckConfig
  | BudgetConfig
  | AccountConfig
  | RevokeConfig
  | HelpConfig;

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the command line; the problem is a list of sentences, each naming what to change. */
export function readConfig(argv: readonly string[], env: Environment): Reply<Config, readonly string[]> {
  const [command = 'help', ...rest] = argv;
  switch (command) {
    case 'controller':
      return orHelp(readController(rest, env));
    case 'infra':
      return readInfra(rest, env);
    case 'grant':
      return readGrant(rest);
    case 'status':
      return readStatus(rest, env);
    case 'budget':
      return withHelp('budget', rest, readBudgetArgs);
    case 'account':
      return withHelp('account', rest, readAccountArgs);
    case 'revoke':
      return withHelp('revoke', rest, readRevokeArgs);
    case 'check':
      return readCheck(rest, env);
    case 'help':
    case '--help':
    case '-h':
      return { ok: true, value: { command: 'help', text: usage() } };
    default:
      return {
        ok: false,
        problem: [
          `unknown command "${command}"; known: controller, infra, grant, status, check, budget, account, revoke, help`,
        ],
      };
  }
}

function orHelp(read: ReturnType<typeof readController>): Reply<Config, readonly string[]> {
  if (!read.ok) return read;
  return { ok: true, value: read.value === 'help' ? { command: 'help', text: usage() } : read.value };
}

function readGrant(argv: readonly string[]): Reply<Config, readonly string[]> {
  const flag = argv.find((word) => word.startsWith('-'));
  if (flag === '--help' || flag === '-h') return { ok: true, value: { command: 'help', text: usage() } };
  if (flag !== undefined) return { ok: false, problem: [`unknown flag ${flag}; usage: certway grant NAMESPACE…`] };
  if (argv.length === 0) return { ok: false, problem: ['name at least one namespace: certway grant NAMESPACE…'] };
  const serviceAccount = { namespace: 'certway-system', name: 'certway-controller' };
  return { ok: true, value: { command: 'grant', namespaces: argv, serviceAccount } };
}

/** The controller's flags are not known here: its defaults stand for them. */
function readStatus(argv: readonly string[], env: Environment): Reply<Config, readonly string[]> {
  const mistakes: string[] = [];
  const args = readStatusArgs(argv, mistakes);
  if (args === 'help') return { ok: true, value: { command: 'help', text: usage() } };
  const options = resolveOf(defaultValues, mistakes);
  if (mistakes.length > 0) return { ok: false, problem: mistakes };
  return { ok: true, value: { command: 'status', ...args, options, ...paperOf(env) } };
}

function readCheck(argv: readonly string[], env: Environment): Reply<Config, readonly string[]> {
  const mistakes: string[] = [];
  const args = readCheckArgs(argv, mistakes);
  if (args === 'help') return { ok: true, value: { command: 'help', text: usage() } };
  const { wait, ...rest } = args;
  const waitMs = wait === undefined ? 0 : durationOf('wait', wait, mistakes);
  if (mistakes.length > 0) return { ok: false, problem: mistakes };
  return { ok: true, value: { command: 'check', ...rest, waitMs, ...paperOf(env) } };
}

function paperOf(env: Environment) {
  return { columns: Number(env.COLUMNS) || undefined, noColour: (env.NO_COLOR ?? '') !== '' };
}

function withHelp<C extends string, A extends object>(
  command: C,
  argv: readonly string[],
  read: (argv: readonly string[], mistakes: string[]) => A | 'help',
): Reply<({ readonly command: C } & A) | HelpConfig, readonly string[]> {
  const mistakes: string[] = [];
  const args = read(argv, mistakes);
  if (args === 'help') return { ok: true, value: { command: 'help', text: usage() } };
  return mistakes.length > 0 ? { ok: false, problem: mistakes } : { ok: true, value: { command, ...args } };
}
