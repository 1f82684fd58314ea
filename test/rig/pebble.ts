// Pebble, the ACME server of one world, with its HTTPS signed by the world's CA and its lookups sent to the world's DNS.
// One profile only: with several, Pebble picks one at random for an order that names none.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Site } from './control-plane.ts';
import { get } from './https.ts';
import { startPart } from './part.ts';
import { freePort } from './ports.ts';

export interface Pebble {
  readonly directory: string;
  readonly management: string;
  /** Where Pebble knocks for HTTP-01; the responder under test listens there. */
  readonly httpPort: number;
}

const readyMs = 20_000;
const lifetimeSeconds = 90 * 86_400;

// An account's order list (RFC 8555 §7.1.2.1) is always on in Pebble, at /list-orderz/<account>, in pages of 3 with a
// Link rel="next", invalid orders left out; its URL is the member `orders` of the account. Nothing switches it; pages of 3
// are kept so that paging is exercised, and PEBBLE_WFE_ORDERS_PER_PAGE in `pebbleEnv` changes that.
const environment = {
  PEBBLE_VA_NOSLEEP: '1',
  PEBBLE_WFE_NONCEREJECT: '5',
  PEBBLE_AUTHZREUSE: '50',
};

/** Starts Pebble; resolves when its directory is served. */
export async function startPebble(
  { dir, parts, authority, tether }: Site,
  dnsAddress: string,
  env: Readonly<Record<string, string>>,
  fixedHttpPort?: number,
): Promise<Pebble> {
  const https = await authority.server('pebble');
  const { urls } = await startPart(tether, async () => {
    const [port, managementPort, httpPort, tlsPort] = [
      await freePort(),
      await freePort(),
      fixedHttpPort ?? (await freePort()),
      await freePort(),
    ];
    const configFile = join(dir, 'pebble.json');
    const config = {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${managementPort}`,
      certificate: https.certificate,
      privateKey: https.key,
      httpPort,
      tlsPort,
      keyAlgorithm: 'ecdsa',
      retryAfter: { authz: 1, order: 1 },
      profiles: { default: { description: 'Ninety days', validityPeriod: lifetimeSeconds } },
    };
    await writeFile(configFile, JSON.stringify({ pebble: config }, undefined, 2));
    const directory = `https://127.0.0.1:${port}/dir`;
    return {
      urls: { directory, management: `https://127.0.0.1:${managementPort}`, httpPort },
      command: {
        argv: [parts.pebble, '-config', configFile, '-dnsserver', dnsAddress],
        env: { ...environment, ...env },
        logFile: join(dir, 'pebble.log'),
      },
      readiness: {
        name: 'Pebble',
        deadlineMs: readyMs,
        probe: async () => (await get(directory, { caPem: authority.caPem })).status === 200,
      },
    };
  });
  return urls;
}
