// Reads the command line of `certway budget`: an issuer or none, and where things stand. Called by config.ts.

import { readLine, readOutput } from './read-line.ts';

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
  const line = readLine(argv, options, form, mistakes);
  if (line.set.has('help')) return 'help';
  const { words, given } = line;
  const [name, ...others] = words;
  const namespace = given.get('namespace');
  if (others.length > 0) mistakes.push(`unexpected argument "${others[0]}"; one issuer at a time, or none for all`);
  if (name === undefined && namespace !== undefined)
    mistakes.push(`name the Issuer of namespace "${namespace}": ${form}`);
  const output = readOutput(line, mistakes);
  return {
    issuer: name === undefined ? undefined : { name, ...(namespace !== undefined && { namespace }) },
    booksIn: given.get('cluster-resource-namespace') ?? 'certway-system',
    kubeconfig: given.get('kubeconfig'),
    output,
  };
}
