// Reads the command line of `certway check`: flags only. Called by config.ts, which turns the wait into milliseconds.

import { parseArgs } from 'node:util';

export interface CheckArgs {
  /** Where Certway runs. */
  readonly namespace: string;
  readonly kubeconfig: string | undefined;
  readonly output: 'text' | 'json';
  /** A duration as text; absent: look once. */
  readonly wait: string | undefined;
}

const form = 'certway check [--wait DURATION] [-n NAMESPACE] [--kubeconfig FILE] [-o json]';

const options = {
  namespace: { type: 'string', short: 'n' },
  kubeconfig: { type: 'string' },
  output: { type: 'string', short: 'o' },
  wait: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Mistakes are added to the list. */
export function readCheckArgs(argv: readonly string[], mistakes: string[]): CheckArgs | 'help' {
  const given = new Map<string, string>();
  for (const token of parseArgs({ args: [...argv], options, strict: false, tokens: true }).tokens) {
    if (token.kind === 'positional') mistakes.push(`unexpected argument "${token.value}"; usage: ${form}`);
    if (token.kind !== 'option') continue;
    if (token.name === 'help') return 'help';
    if (!Object.hasOwn(options, token.name)) mistakes.push(`unknown flag ${token.rawName}; usage: ${form}`);
    else if (token.value === undefined || token.value === '') mistakes.push(`${token.rawName} needs a value`);
    else given.set(token.name, token.value);
  }
  const output = given.get('output') ?? 'text';
  if (output !== 'json' && output !== 'text') mistakes.push(`--output "${output}" is none of text, json`);
  return {
    namespace: given.get('namespace') ?? 'certway-system',
    kubeconfig: given.get('kubeconfig'),
    output: output === 'json' ? 'json' : 'text',
    wait: given.get('wait'),
  };
}
