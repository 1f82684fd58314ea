// Where a challenge name leads when people have delegated it by CNAME. Called by record.ts (cnameStrategy Follow) and propagation.ts.

import type { Reply } from '../api/reply.ts';
import { lookUp } from './ask.ts';
import { sameName } from './message.ts';
import { absolute, bare, isPlainName } from './names.ts';
import { type DnsProblem, failed } from './problem.ts';
import type { DnsView } from './view.ts';

// No resolver that a CA uses goes farther.
const longestChain = 8;

/** The name at the chain's end; the name itself where nothing is delegated. A loop is `misconfigured`. */
export async function followCnames(
  view: DnsView,
  name: string,
  signal: AbortSignal,
): Promise<Reply<string, DnsProblem>> {
  const chain = [absolute(name)];
  for (;;) {
    const from = chain.at(-1) ?? name;
    const target = await targetOf(view, from, signal);
    if (!target.ok) return target;
    if (target.value === undefined) return { ok: true, value: from };
    const spelled = [...chain, target.value].map(bare).join(' → ');
    if (chain.includes(target.value))
      return failed('misconfigured', `The CNAMEs of ${bare(name)} turn in a circle: ${spelled}.`);
    if (chain.length > longestChain)
      return failed('misconfigured', `${bare(name)} has more than ${longestChain} CNAMEs in a row: ${spelled}.`);
    chain.push(target.value);
  }
}

async function targetOf(
  view: DnsView,
  name: string,
  signal: AbortSignal,
): Promise<Reply<string | undefined, DnsProblem>> {
  const answer = await lookUp(view, name, 'CNAME', signal);
  if (!answer.ok) return answer;
  const found = answer.value.answers.find((record) => record.type === 'CNAME' && sameName(record.name, name));
  if (found?.type !== 'CNAME') return { ok: true, value: undefined };
  const target = absolute(found.data);
  if (isPlainName(target)) return { ok: true, value: target };
  return failed('misconfigured', `The CNAME at ${bare(name)} leads to a name that cannot be written as text.`);
}
