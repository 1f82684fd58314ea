// Downloads what the CA has issued, and where the issuer prefers a chain, the alternates too. Called by perform-order.ts; which chain is served is
// chosen in order/chain.ts.

import { download, downloadAll } from '../acme/certificate.ts';
import type { AcmeSession } from '../acme/session.ts';
import type { CaProblem } from '../order/ca.ts';
import { chooseChain } from '../order/chain.ts';
import type { OrderFact } from '../order/state.ts';
import { refOf } from '../plan/object-ref.ts';
import type { OrderTurn } from './order-turn.ts';

/** A chain that does not exist is said, not waited for: the certificate serves with the CA's default chain all the same. */
export async function fetchChain(turn: OrderTurn, session: AcmeSession, url: string): Promise<OrderFact> {
  const { preferredChain = '' } = turn.issuer.spec.acme ?? {};
  if (preferredChain === '') {
    const got = await download(session, url);
    return got.ok
      ? { kind: 'certificate', chainPem: got.value.resource.chainPem }
      : { kind: 'problem', problem: got.problem };
  }
  const got = await downloadAll(session, url);
  if (!got.ok) return { kind: 'problem', problem: got.problem };
  const { first, others, lost } = got.value;
  const alternates = others.map(({ chainPem }) => chainPem);
  const choice = chooseChain(first.chainPem, alternates, preferredChain);
  if (choice.kind === 'missing') {
    if (lost !== undefined && mayPass(lost)) return { kind: 'problem', problem: lost };
    await tellMissing(turn, preferredChain, choice.offered);
  }
  return { kind: 'certificate', chainPem: choice.chainPem };
}

/** What a bad moment has hidden may be the very chain that is preferred. */
function mayPass({ kind }: CaProblem): boolean {
  return kind !== 'refused' && kind !== 'malformed';
}

async function tellMissing({ ports, about }: OrderTurn, preferred: string, offered: readonly string[]): Promise<void> {
  const names = offered.length === 0 ? 'no named root' : offered.map((name) => JSON.stringify(name)).join(', ');
  const message = `No chain of the CA ends at ${JSON.stringify(preferred)} (preferredChain); its default chain is used. Its chains end at ${names}.`;
  await ports.recorder.say({ about: refOf(about), type: 'Warning', reason: 'PreferredChainMissing', message });
}
