// The words behind `certway budget`.

import { describe, expect, it } from 'vitest';
import { readBudgetArgs } from '../../src/cli/budget-args.ts';

function read(...words: readonly string[]) {
  const mistakes: string[] = [];
  return { args: readBudgetArgs(words, mistakes), mistakes };
}

describe('a good call', () => {
  const all = { issuer: undefined, booksIn: 'certway-system', kubeconfig: undefined, output: 'text' };
  it.each([
    [[], all],
    [['le'], { ...all, issuer: { name: 'le' } }],
    [['le', '-n', 'team-a'], { ...all, issuer: { name: 'le', namespace: 'team-a' } }],
    [['-o', 'json', '--kubeconfig=/k'], { ...all, output: 'json', kubeconfig: '/k' }],
    [['--cluster-resource-namespace', 'tls'], { ...all, booksIn: 'tls' }],
    [['-h', '--nope'], 'help'],
  ])('%j', (words, expected) => {
    expect(read(...words)).toEqual({ args: expected, mistakes: [] });
  });
});

describe('a wrong call names each mistake', () => {
  it.each([
    [['a', 'b'], /^unexpected argument "b"; one issuer at a time, or none for all$/],
    [['-n', 'team-a'], /^name the Issuer of namespace "team-a": certway budget/],
    [['-o', 'yaml'], /^--output "yaml" is none of text, json$/],
    [['--cluster'], /^unknown flag --cluster; usage: certway budget/],
    [['le', '-n'], /^-n needs a value$/],
  ])('%j', (words, expected) => {
    expect(read(...words).mistakes.join('\n')).toMatch(expected);
  });
});
