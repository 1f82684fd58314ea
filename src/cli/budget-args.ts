// Reads the command line of `certway budget`: an issuer or none, and where things stand. Called by config.ts.

import { parseArgs } from 'node:util';

export interface BudgetArgs {
  /** Absent: all issuers that the user may see. With a namespace an Issuer, else a ClusterIssuer. */
  readonly issuer: { readonly name: string; readonly namespace?: string } | undefined;
  /** Where the controller keeps its books: its --cluster-resource-namespace. */
  readonly booksIn: string;
  readonly kubeconfig: string | undefined;
  readonly output: 'text' | 'json';
}

const form =
  'certway budget [ISSUER] [-n NAMESPACE] [--cluster-resource-namespace NAMESPACE] [--kubeconfig FILE] [-o json]';

const options = {
  namespace: { type: 'string', short: 'n' },
  'cluster-resource-namespace': { type: 'string' },
  kubeconfig: { type: 'string' },
  output: { type: 'string', short: 'o' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Mistakes are added to the list. */
export function readBudgetArgs(argv: readonly string[], mistakes: string[]): BudgetArgs | 'help' {
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
  const [name, ...others] = words;
  const namespace = given.get('namespace');
  if (others.length > 0) mistakes.push(`unexpected argument "${others[0]}"; one issuer at a time, or none for all`);
  if (name === undefined && namespace !== undefined)
    mistakes.push(`name the Issuer of namespace "${namespace}": ${form}`);
  const output = given.get('output') ?? 'text';
  if (output !== 'json' && output !== 'text') mistakes.push(`--output "${output}" is none of text, json`);
  return {
    issuer: name === undefined ? undefined : { name, ...(namespace !== undefined && { namespace }) },
    booksIn: given.get('cluster-resource-namespace') ?? 'certway-system',
    kubeconfig: given.get('kubeconfig'),
    output: output === 'json' ? 'json' : 'text',
  };
}
