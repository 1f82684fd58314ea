// A real pair of nameservers on loopback: BIND as primary, which takes signed updates, and as secondary, which lags until a test lets it catch
// up. For test/dns and for worlds with DNS-01.

import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as packet from 'dns-packet';
import { type Relay, startRelay } from './dns/relay.ts';
import { findNamed, type Named } from './dns-bind-package.ts';
import { startPart } from './part.ts';
import { freePort } from './ports.ts';
import { startTether, type Tether } from './tether.ts';
import { until } from './wait.ts';

export type BindAlgorithm = 'hmac-md5' | 'hmac-sha1' | 'hmac-sha256' | 'hmac-sha512';

export interface BindKey {
  readonly name: string;
  readonly algorithm: BindAlgorithm;
  /** Base64. */
  readonly secret: string;
}

export interface Bind extends AsyncDisposable {
  /** 127.0.0.1:port of each. */
  readonly primary: string;
  readonly secondary: string;
  /** The zones' own NS records lead to two addresses of 127/8 that share this port, as a zone's servers share port 53. */
  readonly authorityPort: number;
  /** The second of them can be made silent. */
  readonly ns2: Relay;
  /** May change example.test and proofs.test. One for each algorithm. */
  readonly keys: readonly BindKey[];
  /** Known to the server, and allowed nothing. */
  readonly powerless: BindKey;
  /** The TXT values that a server has at a name. */
  values(server: string, name: string): Promise<readonly string[]>;
  /** Lets the secondary transfer a zone now; resolves when it has what the primary has. */
  catchUp(zone: string): Promise<void>;
}

const [ns1Host, ns2Host] = ['127.0.0.2', '127.0.0.3'];
const algorithms: readonly BindAlgorithm[] = ['hmac-md5', 'hmac-sha1', 'hmac-sha256', 'hmac-sha512'];
const readyMs = 15_000;

/**
 * Zones, all with the nameservers ns1 (primary) and ns2 (secondary): example.test, with a delegation by CNAME from _acme-challenge.delegated to
 * proof.proofs.test and a circle of CNAMEs at _acme-challenge.circle; proofs.test; guarded.test, which nobody may update; lame.test and half.test, whose second
 * servers refuse and have no address; broken.test, which is always SERVFAIL.
 */
export async function startBind(): Promise<Bind> {
  const named = await findNamed();
  const dir = await mkdtemp(join(tmpdir(), 'certway-bind-'));
  const tether = await startTether(dir);
  const keys = algorithms.map((algorithm) => makeKey(`certway-${algorithm.slice(5)}.`, algorithm));
  const powerless = makeKey('powerless.', 'hmac-sha256');
  try {
    const site = { dir, tether, named };
    const primary = await startServer(site, 'primary', (home, port) => primaryConfig(home, port, [...keys, powerless]));
    const secondary = await startServer(site, 'secondary', (home, port) => secondaryConfig(home, port, primary));
    const ns1 = await startRelay(ns1Host, undefined, primary);
    const ns2 = await startRelay(ns2Host, ns1.port, secondary);
    for (const zone of lagging) {
      await until(`the secondary to have ${zone}`, async () => (await serialOf(secondary, zone)) !== undefined);
    }
    return {
      primary,
      secondary,
      authorityPort: ns1.port,
      ns2,
      keys,
      powerless,
      values,
      catchUp: (zone) => catchUp(primary, secondary, zone),
      [Symbol.asyncDispose]: async () => {
        await Promise.all([ns1, ns2, tether].map((each) => each[Symbol.asyncDispose]()));
      },
    };
  } catch (error) {
    await tether[Symbol.asyncDispose]();
    throw error;
  }
}

function makeKey(name: string, algorithm: BindAlgorithm): BindKey {
  return { name, algorithm, secret: randomBytes(32).toString('base64') };
}

const updatable = ['example.test', 'proofs.test', 'guarded.test'];
const lagging = [...updatable];

// A refresh of a day: the secondary looks only when it is told to.
function zoneText(...records: readonly string[]): string {
  return [
    '$TTL 60',
    '@ SOA ns1.example.test. hostmaster.example.test. 1 86400 3600 604800 60',
    '@ NS ns1.example.test.',
    '@ NS ns2.example.test.',
    ...records,
    '',
  ].join('\n');
}

const zones: Readonly<Record<string, string>> = {
  'example.test': zoneText(
    `ns1 A ${ns1Host}`,
    `ns2 A ${ns2Host}`,
    'www A 127.0.0.1',
    '_acme-challenge.delegated CNAME proof.proofs.test.',
    '_acme-challenge.circle CNAME there.example.test.',
    'there CNAME _acme-challenge.circle.example.test.',
  ),
  'proofs.test': zoneText(),
  'guarded.test': zoneText(),
  // Its second server knows nothing of it.
  'lame.test': zoneText(),
  // Its second server is nowhere.
  'half.test': zoneText().replace('@ NS ns2.example.test.', '@ NS gone.example.test.'),
};

async function primaryConfig(home: string, port: number, keys: readonly BindKey[]): Promise<readonly string[]> {
  for (const [zone, text] of Object.entries(zones)) await writeFile(join(home, `${zone}.zone`), text);
  const names = keys.filter(({ name }) => name !== 'powerless.').map(({ name }) => `key "${name}";`);
  const mayUpdate = (zone: string) => (zone === 'guarded.test' ? 'none;' : names.join(' '));
  const zoneOf = (zone: string) =>
    `zone "${zone}" { type primary; file "${zone}.zone"; notify no; allow-transfer { any; }; allow-update { ${mayUpdate(zone)} }; };`;
  return [
    options(home, port),
    ...keys.map((key) => `key "${key.name}" { algorithm ${key.algorithm}; secret "${key.secret}"; };`),
    ...Object.keys(zones).map(zoneOf),
    'zone "broken.test" { type primary; file "there-is-none.zone"; };',
  ];
}

async function secondaryConfig(home: string, port: number, primary: string): Promise<readonly string[]> {
  const from = primary.replace(':', ' port ');
  const zoneOf = (zone: string) => `zone "${zone}" { type secondary; primaries { ${from}; }; allow-notify { any; }; };`;
  return [options(home, port), ...lagging.map(zoneOf)];
}

function options(home: string, port: number): string {
  return [
    `options { directory "${home}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none;`,
    'session-keyfile none; recursion no; dnssec-validation no; minimal-responses no; serial-query-rate 1000; };',
    'controls { };',
  ].join(' ');
}

interface Site {
  readonly dir: string;
  readonly tether: Tether;
  readonly named: Named;
}

type Configure = (home: string, port: number) => Promise<readonly string[]>;

/** Its address. */
async function startServer({ dir, tether, named }: Site, name: string, configure: Configure): Promise<string> {
  const home = join(dir, name);
  const file = join(home, 'named.conf');
  await mkdir(home);
  const { address } = await startPart(tether, async () => {
    const port = await freePort();
    await writeFile(file, `${(await configure(home, port)).join('\n')}\n`);
    const here = `127.0.0.1:${port}`;
    return {
      address: here,
      command: {
        argv: [named.binary, '-g', '-4', '-n', '1', '-c', file],
        env: named.env,
        logFile: join(dir, `${name}.log`),
      },
      readiness: {
        name: `BIND (${name})`,
        deadlineMs: readyMs,
        probe: async () => (await query(here, 'example.test', 'SOA')) !== undefined,
      },
    };
  });
  return address;
}

async function query(server: string, name: string, type: packet.RecordType): Promise<packet.DecodedPacket | undefined> {
  return tell(server, { type: 'query', id: 1, questions: [{ name, type }] });
}

async function tell(server: string, message: packet.Packet): Promise<packet.DecodedPacket | undefined> {
  const [host, port] = server.split(':');
  const socket = createSocket('udp4');
  const { promise, resolve } = Promise.withResolvers<packet.DecodedPacket | undefined>();
  const timer = setTimeout(() => resolve(undefined), 500);
  socket.on('message', (bytes) => resolve(packet.decode(bytes))).on('error', () => resolve(undefined));
  socket.connect(Number(port), host, () => socket.send(packet.encode(message)));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

async function serialOf(server: string, zone: string): Promise<number | undefined> {
  const answer = await query(server, zone, 'SOA');
  const soa = answer?.answers?.find((record) => record.type === 'SOA');
  return soa?.type === 'SOA' ? soa.data.serial : undefined;
}

async function values(server: string, name: string): Promise<readonly string[]> {
  const answer = await query(server, name, 'TXT');
  if (answer === undefined) throw new Error(`${server} does not answer`);
  const texts = (answer.answers ?? []).flatMap((record) => (record.type === 'TXT' ? [String(record.data)] : []));
  return texts.toSorted();
}

async function catchUp(primary: string, secondary: string, zone: string): Promise<void> {
  const notify = 4 << 11;
  await until(`the secondary to have ${zone} as the primary has it`, async () => {
    await tell(secondary, {
      type: 'query',
      id: 2,
      flags: notify | packet.AUTHORITATIVE_ANSWER,
      questions: [{ name: zone, type: 'SOA' }],
    });
    return (await serialOf(secondary, zone)) === (await serialOf(primary, zone));
  });
}
