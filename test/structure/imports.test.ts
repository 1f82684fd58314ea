// The house rules that a compiler does not know: imports point only to earlier folders, the pure folders stay pure, the
// environment is read at the door. Reads the text of every file in src/.

import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

// Data flows down this list; an import may point only to an earlier line or stay in its folder.
const floors = [
  'api',
  'pki',
  'keystore',
  'resolve',
  'budget',
  'order',
  'plan',
  'tenancy',
  'infra',
  'report',
  'kube',
  'acme',
  'vault',
  'solve',
  'dns',
  'queue',
  'apply',
  'provision',
  'serve',
  'cli',
  'flag-values.ts',
  'lease-flags.ts',
  'flags.ts',
  'controller-config.ts',
  'infra-flags.ts',
  'infra-config.ts',
  'config.ts',
  'main-infra.ts',
  'main.ts',
];
const pure = new Set(['api', 'pki', 'keystore', 'resolve', 'budget', 'order', 'plan', 'tenancy', 'infra']);
// Values in, values out: these builtins compute and touch nothing.
const calmBuiltins = new Set(['node:buffer', 'node:net', 'node:url', 'node:util']);
// Keys, salts and signatures: these folders compute with OpenSSL, and may wait for it or give the loop a turn meanwhile.
const cryptoBuiltins: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['pki', new Set([...calmBuiltins, 'node:crypto'])],
  ['keystore', new Set([...calmBuiltins, 'node:crypto', 'node:timers/promises'])],
  // Helm's own records are gzipped.
  ['infra', new Set([...calmBuiltins, 'node:zlib'])],
]);
// Names, tokens and fingerprints are hashes: a hash is a value of its input.
const hashOnly = /^import \{ createHash \} from 'node:crypto'/m;
const effects =
  /\b(Date\.now|performance\.now|Math\.random|setTimeout|setInterval|setImmediate|console\.|fetch\()|new Date\(\)/;
const environment = /\bprocess\.(env|argv)\b/;
const doors = new Set(['config.ts', 'main.ts', 'cli']);

// The shape of the configuration is known to those who make one.
const knowConfig = new Set(['cli', 'config.ts', 'main.ts']);

const root = join(import.meta.dirname, '../../src');

interface Source {
  readonly path: string;
  readonly floor: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const sources: readonly Source[] = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return { path, floor: floorOf(path), text, imports: importsOf(text) };
  });

function floorOf(path: string): string {
  return path.split('/')[0] ?? path;
}

function importsOf(text: string): readonly string[] {
  const statement =
    /^(?:import|export)\b[^;'"]*?\bfrom\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
  return [...text.matchAll(statement)].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '');
}

function targetFloor(source: Source, specifier: string): string {
  return floorOf(relative(root, join(root, dirname(source.path), specifier)));
}

function isUpward(from: string, to: string): boolean {
  if (to === 'config.ts') return !knowConfig.has(from);
  return floors.indexOf(to) > floors.indexOf(from);
}

/** Comments and string texts may name what code may not call. */
function codeOf(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$|(?<=\s)\/\/ .*$/gm, '').replaceAll(/'[^'\n]*'/g, "''");
}

function offences(rule: (source: Source) => readonly string[]): readonly string[] {
  return sources.flatMap((source) => rule(source).map((what) => `src/${source.path}: ${what}`));
}

describe('the house', () => {
  it('has only folders of the list', () => {
    expect(offences(({ floor }) => (floors.includes(floor) ? [] : [`${floor} is not on the list`]))).toEqual([]);
  });

  it('has imports that point only to earlier folders', () => {
    const upward = offences((source) =>
      source.imports
        .filter((specifier) => specifier.startsWith('.'))
        .filter((specifier) => isUpward(source.floor, targetFloor(source, specifier)))
        .map((specifier) => `imports ${specifier}, which lies below`),
    );
    expect(upward).toEqual([]);
  });

  it('keeps its relative imports inside src, with their ending', () => {
    const stray = offences((source) =>
      source.imports
        .filter((specifier) => specifier.startsWith('.'))
        .filter((specifier) => !specifier.endsWith('.ts') || targetFloor(source, specifier) === '..')
        .map((specifier) => `imports ${specifier}`),
    );
    expect(stray).toEqual([]);
  });

  it('has named exports only, and no barrels', () => {
    const barrels = offences(({ text, path }) => [
      ...(/^export default\b/m.test(text) ? ['has a default export'] : []),
      ...(/^export (\*|type \{|\{)[^;]*\bfrom '\./m.test(text) ? ['exports what another file exports'] : []),
      ...(/(^|\/)index\.ts$/.test(path) ? ['is an index'] : []),
    ]);
    expect(barrels).toEqual([]);
  });

  it('reads the environment and the arguments only at the door', () => {
    const reads = offences(({ floor, text }) =>
      !doors.has(floor) && environment.test(codeOf(text)) ? ['reads process.env or process.argv'] : [],
    );
    expect(reads).toEqual([]);
  });
});

describe('a pure folder', () => {
  it('imports only pure folders', () => {
    const impure = offences((source) =>
      !pure.has(source.floor)
        ? []
        : source.imports
            .filter((specifier) => specifier.startsWith('.') && !pure.has(targetFloor(source, specifier)))
            .map((specifier) => `imports ${specifier}`),
    );
    expect(impure).toEqual([]);
  });

  it('uses no builtin module that has effects', () => {
    const effectful = offences(({ floor, text, imports }) =>
      !pure.has(floor)
        ? []
        : imports
            .filter((specifier) => isBuiltin(specifier) && !(cryptoBuiltins.get(floor) ?? calmBuiltins).has(specifier))
            .filter((specifier) => !(specifier === 'node:crypto' && hashOnly.test(text)))
            .map((specifier) => `imports ${specifier}`),
    );
    expect(effectful).toEqual([]);
  });

  it('has no clock, no random, no timer and no console', () => {
    const impure = offences(({ floor, text }) => {
      if (!pure.has(floor) || cryptoBuiltins.has(floor)) return [];
      const [found] = effects.exec(codeOf(text)) ?? [];
      return found === undefined ? [] : [`uses ${found}`];
    });
    expect(impure).toEqual([]);
  });

  it('does not await, except for keys and signatures', () => {
    const waiting = offences(({ floor, text }) =>
      pure.has(floor) && !cryptoBuiltins.has(floor) && /\b(async|await)\b/.test(codeOf(text))
        ? ['is asynchronous']
        : [],
    );
    expect(waiting).toEqual([]);
  });
});
