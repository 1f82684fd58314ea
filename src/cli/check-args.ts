// Reads the command line of `certway check`: flags only. Called by config.ts, which turns the wait into milliseconds.

import { readLine, readOutput } from './read-line.ts';

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
  const line = readLine(argv, options, form, mistakes);
  if (line.set.has('help')) return 'help';
  const { words, given } = line;
  for (const word of words) mistakes.push(`unexpected argument "${word}"; usage: ${form}`);
  const output = readOutput(line, mistakes);
  return {
    namespace: given.get('namespace') ?? 'certway-system',
    kubeconfig: given.get('kubeconfig'),
    output,
    wait: given.get('wait'),
  };
}
