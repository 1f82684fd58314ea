// Downloads what the CA has issued, and where the issuer prefers a chain, the alternates too. Called by perform-order.ts; which chain is served is
// chosen in order/chain.ts.

import { download, downloadAll } from '../acme/certificate.ts';
import type { AcmeSession } from '../acme/session.ts';
import type { CaProblem } from '../order/ca.ts';
import { chooseChain } from '../order/chain.ts';
import type { OrderFact } from '../order/state.ts';
import { readCertificate, splitPem } from '../pki/certificate.ts';
import { publicKeysEqual } from '../pki/keys.ts';
import { refOf } from '../plan/object-ref.ts';
import type { OrderTurn } from './order-turn.ts';
import { requestedCsr } from './request-csr.ts';

/**
 * A chain that does not exist is said, not waited for: the certificate serves with the CA's default chain all the same. A certificate of another key
 * serves nobody: it comes back as the CA's refusal.
 */
export async function fetchChain(turn: OrderTurn, session: AcmeSession, url: string): Promise<OrderFact> {
  const { preferredChain = '' } = turn.issuer.spec.acme ?? {};
  if (preferredChain === '') {
    const got = await download(session, url);
    return got.ok ? issuedTo(turn, got.value.resource.chainPem) : { kind: 'problem', problem: got.problem };
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
  return issuedTo(turn, choice.chainPem);
}

function issuedTo({ request }: OrderTurn, chainPem: string): OrderFact {
  const csr = requestedCsr(request);
  const leaf = readCertificate(splitPem(chainPem)[0] ?? '');
  if (!csr.ok || !leaf.ok) return { kind: 'certificate', chainPem };
  return publicKeysEqual(leaf.value.publicKey, csr.value.publicKey) ? { kind: 'certificate', chainPem } : anotherKey;
}

const anotherKey: OrderFact = {
  kind: 'problem',
  problem: {
    kind: 'refused',
    status: 0,
    type: 'otherKey',
    detail: 'it has issued a certificate for another key than the request’s.',
  },
};

/** What a bad moment has hidden may be the very chain that is preferred. */
function mayPass({ kind }: CaProblem): boolean {
  return kind !== 'refused' && kind !== 'malformed';
}

async function tellMissing({ ports, about }: OrderTurn, preferred: string, offered: readonly string[]): Promise<void> {
  const names = offered.length === 0 ? 'no named root' : offered.map((name) => JSON.stringify(name)).join(', ');
  const message = `No chain of the CA ends at ${JSON.stringify(preferred)} (preferredChain); its default chain is used. Its chains end at ${names}.`;
  await ports.recorder.say({ about: refOf(about), type: 'Warning', reason: 'PreferredChainMissing', message });
}
