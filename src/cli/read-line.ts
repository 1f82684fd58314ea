// Splits the command line of one command into words and flags. Called by the readers of the commands' arguments.

import { parseArgs } from 'node:util';

export interface Line {
  readonly words: readonly string[];
  readonly given: ReadonlyMap<string, string>;
  readonly set: ReadonlySet<string>;
}

export type Options = Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string }>>;

/** Mistakes are added to the list; nothing after --help is looked at. */
export function readLine(argv: readonly string[], options: Options, form: string, mistakes: string[]): Line {
  const words: string[] = [];
  const given = new Map<string, string>();
  const set = new Set<string>();
  for (const token of parseArgs({ args: [...argv], options, strict: false, tokens: true }).tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) mistakes.push(`unknown flag ${token.rawName}; usage: ${form}`);
    else if (option.type === 'boolean') set.add(token.name);
    else if (token.value === undefined || token.value === '') mistakes.push(`${token.rawName} needs a value`);
    else given.set(token.name, token.value);
    if (set.has('help')) break;
  }
  return { words, given, set };
}

/** What --output asks for; a mistake is added to the list. */
export function readOutput({ given }: Line, mistakes: string[]): 'text' | 'json' {
  const output = given.get('output') ?? 'text';
  if (output !== 'json' && output !== 'text') mistakes.push(`--output "${output}" is none of text, json`);
  return output === 'json' ? 'json' : 'text';
}
