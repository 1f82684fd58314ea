// A DNS server as flags and issuers name it. Called at the door, by make-provider.ts and by view.ts.

import { getServers } from 'node:dns';
import { isIP } from 'node:net';

export type Nameserver =
  | { readonly kind: 'dns'; readonly host: string; readonly port: number }
  /** RFC 8484. */
  | { readonly kind: 'https'; readonly url: string };

const defaultPort = 53;

/** `host`, `host:port`, `[address]:port`, an IPv6 address without brackets, or an https URL; undefined for anything else. */
export function readNameserver(text: string): Nameserver | undefined {
  const trimmed = text.trim();
  if (/^https:/i.test(trimmed)) {
    const url = URL.parse(trimmed);
    return url === null || url.username !== '' || url.password !== '' ? undefined : { kind: 'https', url: url.href };
  }
  if (isIP(trimmed) === 6) return { kind: 'dns', host: trimmed, port: defaultPort };
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{0,5}))?$/.exec(trimmed) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || (bracketed !== undefined && isIP(bracketed) !== 6)) return undefined;
  const number = port === undefined || port === '' ? defaultPort : Number(port);
  return number >= 1 && number <= 65_535 ? { kind: 'dns', host, port: number } : undefined;
}

/** As people write it; the port only where it is unusual. */
export function spellNameserver(server: Nameserver): string {
  if (server.kind === 'https') return server.url;
  const host = isIP(server.host) === 6 ? `[${server.host}]` : server.host;
  return server.port === defaultPort ? server.host : `${host}:${server.port}`;
}

/** The recursive servers of this machine or Pod. */
export function systemNameservers(): readonly Nameserver[] {
  return getServers()
    .map(readNameserver)
    .filter((server) => server !== undefined);
}
