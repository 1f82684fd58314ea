// Looks for private keys where everybody can read: lines of the PEM texts in Secrets, and of their base64, in logs, events and statuses.

import type { KubeObject } from '../../src/api/meta.ts';
import {
  certificateRequests,
  certificates,
  events,
  gateways,
  httpRoutes,
  issuers,
  listenerSets,
  orders,
  secrets,
  xListenerSets,
} from '../../src/api/resources.ts';
import type { Team } from './team.ts';

/** Long enough that none of them can be there by chance. */
const leastLength = 24;

export interface Matter {
  /** The Secret that it stands in. */
  readonly secret: string;
  readonly fragments: readonly string[];
}

/** Every line of every private key in the namespace's Secrets, and pieces of their base64. */
export async function privateMatter(team: Team): Promise<readonly Matter[]> {
  return (await team.all(secrets)).flatMap(({ metadata, data = {} }) =>
    Object.values(data).flatMap((encoded) => {
      const plain = Buffer.from(encoded, 'base64').toString();
      if (!plain.includes('PRIVATE KEY')) return [];
      return [{ secret: metadata.name, fragments: [...linesOf(plain), ...piecesOf(encoded)] }];
    }),
  );
}

function linesOf(pem: string): readonly string[] {
  return pem.split('\n').filter((line) => line.length >= leastLength && !line.startsWith('-----'));
}

/** From the key's body on: the first lines of all PEM texts are the same. */
function piecesOf(encoded: string): readonly string[] {
  const pieces: string[] = [];
  for (let at = 64; at + 40 <= encoded.length - 64; at += 40) pieces.push(encoded.slice(at, at + 40));
  return pieces;
}

/** Sentences about what was found where; `printed` is what processes wrote. */
export async function whatLeaks(
  team: Team,
  matter: readonly Matter[],
  printed: readonly string[],
): Promise<readonly string[]> {
  const kinds = [
    events,
    issuers,
    certificates,
    certificateRequests,
    orders,
    httpRoutes,
    gateways,
    listenerSets,
    xListenerSets,
  ];
  const lists = await Promise.all(kinds.map((kind) => team.all<KubeObject>(kind)));
  const objects = lists.flat().map((object) => ({
    where: `${object.kind ?? 'object'} ${object.metadata.name}`,
    what: JSON.stringify(object),
  }));
  const places = [...objects, ...printed.map((what) => ({ where: 'what was printed', what }))];
  return matter.flatMap(({ secret, fragments }) =>
    places
      .filter(({ what }) => fragments.some((each) => what.includes(each)))
      .map(({ where }) => `${secret} in ${where}`),
  );
}
