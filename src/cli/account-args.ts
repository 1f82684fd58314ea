// Reads the command lines of `certway account` and `certway revoke`: names, where they are, and a few flags. Called by config.ts.

import { type RevocationReason, reasonNamed } from '../api/revocation.ts';
import { type Options, readLine, readOutput } from './read-line.ts';

export interface AccountArgs {
  readonly verb: 'show' | 'rollover' | 'deactivate';
  readonly name: string;
  readonly scope: 'namespace' | 'cluster';
  /** Absent: that of the kubeconfig's context. */
  readonly namespace: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly output: 'text' | 'json';
  /** Closing an account cannot be taken back: said twice. */
  readonly consent: 'given' | 'missing';
}

export interface RevokeArgs {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly reason: RevocationReason;
  readonly when: 'replaced' | 'now';
  /** Hexadecimal; absent: the certificate that is served. */
  readonly serial: string | undefined;
}

const accountForm =
  'certway account show|rollover|deactivate ISSUER [-n NAMESPACE | --cluster] [--kubeconfig FILE] [-o json] [--yes]';
const revokeForm =
  'certway revoke CERTIFICATE [-n NAMESPACE] [--reason REASON] [--now] [--serial HEX] [--kubeconfig FILE]';

const common = {
  namespace: { type: 'string', short: 'n' },
  kubeconfig: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies Options;

const accountOptions = {
  ...common,
  cluster: { type: 'boolean' },
  output: { type: 'string', short: 'o' },
  yes: { type: 'boolean' },
} as const satisfies Options;

const revokeOptions = {
  ...common,
  reason: { type: 'string' },
  serial: { type: 'string' },
  now: { type: 'boolean' },
} as const satisfies Options;

export function readAccountArgs(argv: readonly string[], mistakes: string[]): AccountArgs | 'help' {
  const line = readLine(argv, accountOptions, accountForm, mistakes);
  const { words, given, set } = line;
  if (set.has('help')) return 'help';
  const [verb = '', name = '', ...others] = words;
  if (verb !== 'show' && verb !== 'rollover' && verb !== 'deactivate') {
    mistakes.push(verb === '' ? `say what to do: ${accountForm}` : `unknown "account ${verb}"; usage: ${accountForm}`);
  }
  if (verb !== '' && name === '') mistakes.push(`name an issuer: ${accountForm}`);
  if (others.length > 0) mistakes.push(`unexpected argument "${others[0]}"; one issuer at a time`);
  if (set.has('cluster') && given.has('namespace')) mistakes.push('--cluster and --namespace exclude each other');
  const output = readOutput(line, mistakes);
  return {
    verb: verb === 'rollover' || verb === 'deactivate' ? verb : 'show',
    name,
    scope: set.has('cluster') ? 'cluster' : 'namespace',
    namespace: given.get('namespace'),
    kubeconfig: given.get('kubeconfig'),
    output,
    consent: set.has('yes') ? 'given' : 'missing',
  };
}

export function readRevokeArgs(argv: readonly string[], mistakes: string[]): RevokeArgs | 'help' {
  const { words, given, set } = readLine(argv, revokeOptions, revokeForm, mistakes);
  if (set.has('help')) return 'help';
  const [name = '', ...others] = words;
  if (name === '') mistakes.push(`name a Certificate: ${revokeForm}`);
  if (others.length > 0) mistakes.push(`unexpected argument "${others[0]}"; one Certificate at a time`);
  const wished = given.get('reason') ?? 'unspecified';
  const reason = reasonNamed(wished);
  const known = 'unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation';
  if (reason === undefined) mistakes.push(`--reason "${wished}" is none of ${known}`);
  const serial = given.get('serial');
  if (serial !== undefined && !/^[0-9A-Fa-f:]{1,80}$/.test(serial))
    mistakes.push(`--serial "${serial}" is not hexadecimal`);
  return {
    name,
    namespace: given.get('namespace'),
    kubeconfig: given.get('kubeconfig'),
    reason: reason ?? 'unspecified',
    when: set.has('now') ? 'now' : 'replaced',
    serial,
  };
}
