// Reads the command line of `certway status`: a kind as people write it, a name, and three flags. Called by config.ts.

import { readLine, readOutput } from './read-line.ts';
import type { StatusKind } from './status-scene.ts';

export interface StatusArgs {
  readonly kind: StatusKind;
  readonly name: string;
  /** Absent: that of the kubeconfig's context. */
  readonly namespace: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly output: 'text' | 'json';
}

const kinds: ReadonlyMap<string, StatusKind> = new Map([
  ['listenerset', 'ListenerSet'],
  ['listenersets', 'ListenerSet'],
  ['xlistenerset', 'XListenerSet'],
  ['xlistenersets', 'XListenerSet'],
  ['gateway', 'Gateway'],
  ['gateways', 'Gateway'],
  ['gtw', 'Gateway'],
  ['certificate', 'Certificate'],
  ['certificates', 'Certificate'],
  ['cert', 'Certificate'],
]);

const form =
  'certway status listenerset|xlistenerset|gateway|certificate NAME [-n NAMESPACE] [--kubeconfig FILE] [-o json]';

const options = {
  namespace: { type: 'string', short: 'n' },
  kubeconfig: { type: 'string' },
  output: { type: 'string', short: 'o' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Kind and name as two words or, as kubectl has it, as KIND/NAME; mistakes are added to the list. */
export function readStatusArgs(argv: readonly string[], mistakes: string[]): StatusArgs | 'help' {
  const line = readLine(argv, options, form, mistakes);
  if (line.set.has('help')) return 'help';
  const { words, given } = line;
  const [what = '', ...rest] = words.flatMap((word, index) => (index === 0 ? word.split('/') : [word]));
  const [name = '', ...others] = rest;
  const kind = kinds.get(what.toLowerCase());
  if (what === '' || name === '') mistakes.push(`name a kind and an object: ${form}`);
  else if (kind === undefined) mistakes.push(`unknown kind "${what}"; usage: ${form}`);
  if (others.length > 0) mistakes.push(`unexpected argument "${others[0]}"; one object at a time`);
  const output = readOutput(line, mistakes);
  return {
    kind: kind ?? 'ListenerSet',
    name,
    namespace: given.get('namespace'),
    kubeconfig: given.get('kubeconfig'),
    output,
  };
}
