// The way by which a name of a request is proven: which of the issuer's solvers, and for HTTP-01 through which parents. Called before an order is
// made (is there a way at all?), when its authorizations are known, and when they are presented.

import { isIP } from 'node:net';
import type { AcmeSolver, Issuer } from '../api/certmanager.ts';
import { unsupported } from '../dns/make-provider.ts';
import type { CaAuthorization } from '../order/ca.ts';
import type { ChallengeType, Means } from '../order/state.ts';
import type { ProofPath } from '../solve/path.ts';
import { pickSolver } from '../solve/solver.ts';
import { type Asking, challengePath } from './challenge-parent.ts';
import type { Ports } from './ports.ts';

export type OpenPath = ProofPath & { readonly kind: 'open' };

export type Way =
  | { readonly type: 'http-01'; readonly path: OpenPath; readonly solver: AcmeSolver }
  | { readonly type: 'dns-01'; readonly solver: AcmeSolver }
  | { readonly refusal: string };

/** `name` with its `*.`; `offered` as the CA offers it, else what RFC 8555 allows for the name. */
export function wayTo(
  ports: Pick<Ports, 'stores'>,
  about: Asking,
  issuer: Issuer,
  name: string,
  offered?: readonly ChallengeType[],
): Way {
  const wish = { solvers: issuer.spec.acme?.solvers ?? [], name, labels: about.metadata.labels ?? {} };
  const isAddress = isIP(name) !== 0;
  // RFC 8738 §7: DNS does not prove who holds an address.
  const ways = isAddress ? (offered ?? methods).filter((type) => type === 'http-01') : offered;
  const question = { ...wish, ...(ways !== undefined && { offered: ways }) };
  const picked = pickSolver(question);
  if ('refusal' in picked) {
    return isAddress ? { refusal: `${picked.refusal} An IP address can be proven by HTTP-01 only.` } : picked;
  }
  const { type, solver } = picked;
  if (type === 'dns-01') {
    const foreign = solver.dns01 === undefined ? undefined : unsupported(solver.dns01);
    return foreign === undefined ? { type, solver } : { refusal: foreign };
  }
  const path = challengePath(ports, about, solver, name);
  return path.kind === 'closed' ? path : { type, path, solver };
}

/** The same for what the CA asks to be proven. */
export function meansOf(ports: Pick<Ports, 'stores'>, about: Asking, issuer: Issuer, asked: CaAuthorization): Means {
  const name = `${asked.wildcard ? '*.' : ''}${asked.identifier.value}`;
  const offered = asked.challenges.map(({ type }) => type).filter(isKnown);
  const way = wayTo(ports, about, issuer, name, offered);
  return 'refusal' in way ? way : { type: way.type };
}

const methods: readonly ChallengeType[] = ['http-01', 'dns-01'];

function isKnown(type: string): type is ChallengeType {
  return type === 'http-01' || type === 'dns-01';
}
