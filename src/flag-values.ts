// Turns a flag's text into a value; a mistake becomes a sentence that names the flag, the value and what is accepted. Called by config.ts.

export function serviceOf(text: string, mistakes: string[]) {
  const match = /^([a-z0-9-]+)\/([a-z0-9-]+):(\d{1,5})$/.exec(text);
  if (match === null) mistakes.push(`--acme-http01-solver-service "${text}" is not namespace/name:port`);
  const [, namespace = '', name = '', port = '0'] = match ?? [];
  return { namespace, name, port: Number(port) };
}

export function refOf(name: string, text: string, mistakes: string[]) {
  const match = /^([a-z0-9-]+)\/([a-z0-9.-]+)$/.exec(text);
  if (match === null) mistakes.push(`--${name} "${text}" is not namespace/name`);
  const [, namespace = '', object = ''] = match ?? [];
  return { namespace, name: object };
}

export function durationOf(name: string, text: string, mistakes: string[]): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match?.[2] ?? ''];
  if (match?.[1] !== undefined && unit !== undefined && Number(match[1]) > 0) return Number(match[1]) * unit;
  mistakes.push(`--${name} "${text}" is not a duration like 15s or 500ms`);
  return 0;
}

export function numberOf(name: string, text: string, least: number, most: number, mistakes: string[]): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  mistakes.push(`--${name} "${text}" is not a whole number from ${least} to ${most}`);
  return least;
}

export function booleanOf(name: string, text: string, mistakes: string[]): boolean {
  if (text !== 'true' && text !== 'false') mistakes.push(`--${name} takes true or false, not "${text}"`);
  return text === 'true';
}

export function oneOf<T extends string>(
  name: string,
  text: string,
  known: readonly [T, ...T[]],
  mistakes: string[],
): T {
  const found = known.find((each) => each === text);
  if (found === undefined) mistakes.push(`--${name} "${text}" is none of ${known.join(', ')}`);
  return found ?? known[0];
}

export function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
