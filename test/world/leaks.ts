// Looks for private keys and passwords where everybody can read: lines of the PEM texts in Secrets, and of their base64, in logs, events and statuses.

import { createPrivateKey, type KeyObject } from 'node:crypto';
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

/** Every private key in the namespace's Secrets, in fragments of each form that it can take. */
export async function privateMatter(team: Team): Promise<readonly Matter[]> {
  return (await team.all(secrets)).flatMap(({ metadata, data = {} }) =>
    Object.values(data).flatMap((encoded) => {
      const plain = Buffer.from(encoded, 'base64').toString();
      const key = plain.includes('PRIVATE KEY') ? readKey(plain) : undefined;
      return key === undefined ? [] : [{ secret: metadata.name, fragments: fragmentsOf(key) }];
    }),
  );
}

/** A password or token, in the forms in which it can be carried: itself, its base64 in both alphabets, its hexadecimal. */
export function secretWord(secret: string, word: string): Matter {
  const bytes = Buffer.from(word);
  const forms = (['utf8', 'base64', 'base64url', 'hex'] as const).map((form) => bytes.toString(form));
  return { secret, fragments: forms.map((form) => form.replace(/=+$/, '')) };
}

/** Undefined for one that a test has torn. */
function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function fragmentsOf(key: KeyObject): readonly string[] {
  const isRsa = key.asymmetricKeyType === 'rsa';
  const texts = [key.export({ type: 'pkcs8', format: 'pem' }).toString()];
  if (isRsa) texts.push(key.export({ type: 'pkcs1', format: 'pem' }).toString());
  if (key.asymmetricKeyType === 'ec') texts.push(key.export({ type: 'sec1', format: 'pem' }).toString());
  // An RSA key begins with its public half, which certificates show too.
  const from = isRsa ? 0.4 : 0;
  const { d = '' } = key.export({ format: 'jwk' });
  return [d, ...texts.flatMap((text) => [...linesOf(text, from), ...piecesOf(text, from)])];
}

function linesOf(pem: string, from: number): readonly string[] {
  const lines = pem.split('\n').filter((line) => line.length >= leastLength && !line.startsWith('-----'));
  return lines.slice(Math.ceil(lines.length * from));
}

/** As in a Secret's `data`, behind the PEM header. */
function piecesOf(pem: string, from: number): readonly string[] {
  const encoded = Buffer.from(pem).toString('base64');
  const pieces: string[] = [];
  const start = Math.max(64, Math.ceil(encoded.length * from));
  for (let at = start; at + 40 <= encoded.length - 40; at += 40) pieces.push(encoded.slice(at, at + 40));
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
