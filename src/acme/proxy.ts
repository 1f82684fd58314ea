// Through which proxy a CA is reached, as HTTPS_PROXY and NO_PROXY say in Go programs, cert-manager among them. Read by config.ts; asked by
// apply/accounts.ts and whoever else calls out over https.

import { BlockList, isIP } from 'node:net';
import type { Reply } from '../api/reply.ts';

export interface Proxies {
  /** An http, https or socks5 URL. */
  readonly url: string;
  /** NO_PROXY as it was written. */
  readonly except: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says of https; undefined: no proxy. The problem is a sentence without the URL, which may hold a password. */
export function readProxies(env: Environment): Reply<Proxies | undefined, string> {
  const given = env.HTTPS_PROXY || env.https_proxy || '';
  if (given === '') return { ok: true, value: undefined };
  const url = [given, ...(given.includes('://') ? [] : [`http://${given}`])].find(isProxyUrl);
  if (url === undefined) return { ok: false, problem: 'HTTPS_PROXY is no http, https or socks5 URL' };
  return { ok: true, value: { url, except: env.NO_PROXY || env.no_proxy || '' } };
}

function isProxyUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^(https?|socks5):$/.test(url.protocol) && url.hostname !== '';
}

/** The proxy for an https URL; undefined: reached directly. Loopback always is. */
export function proxyFor(target: string, proxies: Proxies | undefined): string | undefined {
  const url = URL.parse(target);
  if (proxies === undefined || url === null) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port === '' ? '443' : url.port;
  if (host === 'localhost' || isLoopback(host)) return undefined;
  const entries = proxies.except.split(',').map((entry) => entry.trim().toLowerCase());
  return entries.some((entry) => entry !== '' && covers(entry, host, port)) ? undefined : proxies.url;
}

function isLoopback(host: string): boolean {
  return host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** `*`, a CIDR, an address or a domain with or without a port. A domain covers its subdomains too; with a leading dot (or `*.`) only these. */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return inBlock(entry, host);
  const [, bracketed, plain, wanted] = /^(?:\[([^\]]+)\]|([^:]+|.*:.*:.*?))(?::(\d+))?$/.exec(entry) ?? [];
  if (wanted !== undefined && wanted !== port) return false;
  const name = bracketed ?? plain ?? '';
  if (isIP(name) !== 0 || isIP(host) !== 0) return sameAddress(name, host);
  const domain = name.replace(/^\*/, '');
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function sameAddress(a: string, b: string): boolean {
  const family = isIP(a);
  if (family === 0 || family !== isIP(b)) return false;
  return inBlock(`${a}/${family === 4 ? 32 : 128}`, b);
}

function inBlock(block: string, host: string): boolean {
  const [net = '', bits = ''] = block.split('/');
  const family = isIP(net);
  const most = family === 4 ? 32 : 128;
  if (family === 0 || family !== isIP(host) || !/^\d{1,3}$/.test(bits) || Number(bits) > most) return false;
  const list = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(net, Number(bits), type);
  return list.check(host, type);
}
