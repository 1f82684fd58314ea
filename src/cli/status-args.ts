// Reads the command line of `certway status`: a kind as people write it, a name, and three flags. Called by config.ts.

import { parseArgs } from 'node:util';
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
  const words: string[] = [];
  const given = new Map<string, string>();
  for (const token of parseArgs({ args: [...argv], options, strict: false, tokens: true }).tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    if (token.name === 'help') return 'help';
    if (!Object.hasOwn(options, token.name)) mistakes.push(`unknown flag ${token.rawName}; usage: ${form}`);
    else if (token.value === undefined || token.value === '') mistakes.push(`${token.rawName} needs a value`);
    else given.set(token.name, token.value);
  }
  const [what = '', ...rest] = words.flatMap((word, index) => (index === 0 ? word.split('/') : [word]));
  const [name = '', ...others] = rest;
  const kind = kinds.get(what.toLowerCase());
  if (what === '' || name === '') mistakes.push(`name a kind and an object: ${form}`);
  else if (kind === undefined) mistakes.push(`unknown kind "${what}"; usage: ${form}`);
  if (others.length > 0) mistakes.push(`unexpected argument "${others[0]}"; one object at a time`);
  const output = given.get('output') ?? 'text';
  if (output !== 'json' && output !== 'text') mistakes.push(`--output "${output}" is none of text, json`);
  return {
    kind: kind ?? 'ListenerSet',
    name,
    namespace: given.get('namespace'),
    kubeconfig: given.get('kubeconfig'),
    output: output === 'json' ? 'json' : 'text',
  };
}
