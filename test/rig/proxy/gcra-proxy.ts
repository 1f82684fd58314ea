// The fault proxy before Pebble with a referee in it: newOrder is refused as Let's Encrypt refuses it, and what counts against a limit later, an issued
// certificate or a failed authorization, is read off the answers that pass. Used by the benchmark of limits and by tests.

import { get } from '../https.ts';
import { type AcmeFault, rateLimited, startAcmeFault } from './acme-fault.ts';
import type { AcmeRequest } from './acme-request.ts';
import type { Proxied } from './fault-proxy.ts';
import { type Rates, Referee, smallRates } from './gcra.ts';
import { accountOf, authzIn, isInWindow, leafIn, orderIn, serialOf, type Wish, wishOf } from './gcra-request.ts';
import { type Answer, forward, type Script, type Verdict } from './verdict.ts';

export interface LimitedCa extends AcmeFault {
  readonly referee: Referee;
}

interface Ca {
  readonly directory: string;
  readonly caPem: string;
}

/** Cells are full at the start. What the script does not forward, the referee does not see. */
export async function startLimitedCa(
  acme: Ca,
  rates: Rates = smallRates,
  script: Script<Proxied<AcmeRequest>> = () => forward,
): Promise<LimitedCa> {
  const referee = new Referee(rates);
  const watch = new Watch(acme, referee);
  const fault = await startAcmeFault(acme, async (request) => {
    const verdict = await script(request);
    return verdict.kind === 'forward' ? watch.rule(request) : verdict;
  });
  return Object.assign(fault, { referee });
}

type Request = Proxied<AcmeRequest>;

/** What has passed already, so that nothing counts twice, and which account a certificate belongs to. */
class Watch {
  readonly #acme: Ca;
  readonly #referee: Referee;
  readonly #counted = new Set<string>();
  readonly #certificates = new Map<string, Wish>();
  readonly #replaced = new Set<string>();

  constructor(acme: Ca, referee: Referee) {
    this.#acme = acme;
    this.#referee = referee;
  }

  async rule(request: Request): Promise<Verdict> {
    switch (request.action) {
      case 'newOrder':
        return this.#newOrder(request);
      case 'finalize':
      case 'order':
        return seen((answer) => this.#order(request, answer));
      case 'authz':
        return seen((answer) => this.#authz(request, answer));
      case 'cert':
        return seen((answer) => this.#certificate(request, answer));
      default:
        return forward;
    }
  }

  async #newOrder(request: Request): Promise<Verdict> {
    const wish = wishOf(request.body);
    if (wish === undefined) return forward;
    const standing = (await this.#replaces(wish)) ? 'ari' : 'plain';
    const now = Date.now();
    const ruling = this.#referee.ask({ ...wish, standing }, now);
    if (ruling.kind === 'refused') return rateLimited(ruling.limit, Math.ceil(ruling.waitMs / 1000), now);
    return seen(({ status }) => {
      if (status !== 201) this.#referee.takeBack(ruling.spent, Date.now());
    });
  }

  /** Boulder: of the same account, with a name in common, not replaced yet, and now inside the suggested window. */
  async #replaces({ account, names, replaces }: Wish): Promise<boolean> {
    if (replaces === undefined) return false;
    const serial = serialOf(replaces);
    const known = this.#certificates.get(serial);
    const isOwn = known?.account === account && known.names.some((name) => names.includes(name));
    if (!isOwn || this.#replaced.has(serial)) return false;
    const { caPem, directory } = this.#acme;
    const { status, body } = await get(new URL(`/draft-ietf-acme-ari-03/renewalInfo/${replaces}`, directory).href, {
      caPem,
    });
    return status === 200 && isInWindow(body, Date.now());
  }

  /** Pebble issues as soon as it has accepted a finalize; an order seen valid is one whose answer to that was lost. */
  #order({ action, name, body }: Request, answer: Answer): void {
    const account = accountOf(body);
    const { status, names, replaces } = orderIn(answer);
    const isIssued = status === 'valid' || (action === 'finalize' && status === 'processing');
    if (isIssued && account !== undefined && this.#isFirst(`order ${name}`)) {
      this.#referee.issued({ account, names }, Date.now());
      this.#replaced.add(serialOf(replaces));
    }
  }

  #authz({ name, body }: Request, answer: Answer): void {
    const account = accountOf(body);
    const authz = authzIn(answer);
    if (authz?.status === 'invalid' && account !== undefined && this.#isFirst(`authz ${name}`)) {
      this.#referee.failed(account, authz.name, Date.now());
    }
  }

  #certificate({ body }: Request, answer: Answer): void {
    const account = accountOf(body);
    const leaf = leafIn(answer);
    if (leaf !== undefined && account !== undefined) this.#certificates.set(leaf.serial, { ...leaf, account });
  }

  #isFirst(what: string): boolean {
    const isFirst = !this.#counted.has(what);
    this.#counted.add(what);
    return isFirst;
  }
}

/** Passes the answer on as it is. */
function seen(look: (answer: Answer) => void): Verdict {
  return {
    kind: 'edit',
    edit: (answer) => {
      look(answer);
      return answer;
    },
  };
}
