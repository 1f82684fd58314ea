// Link headers (RFC 8288): alternate chains (RFC 8555 §7.4.2) and the next page of an order list (§7.1.2.1). Called by document.ts.

import type { Headers } from './http-reply.ts';
import { readUrl } from './json.ts';

export interface Link {
  readonly rel: string;
  readonly url: string;
}

/** The links with a usable address, in their order; relative ones are resolved against `base`. */
export function linksOf(headers: Headers, base: string): readonly Link[] {
  const value = headers.link ?? [];
  const text = typeof value === 'string' ? value : value.join(', ');
  const links: Link[] = [];
  for (const [, target = '', parameters = ''] of text.matchAll(/<([^<>]*)>([^<]*)/g)) {
    const rels = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(parameters);
    const url = readUrl(target) ?? readUrl(URL.parse(target, base)?.href);
    if (url === undefined) continue;
    for (const rel of (rels?.[1] ?? rels?.[2] ?? '').toLowerCase().split(/\s+/)) {
      if (rel !== '') links.push({ rel, url });
    }
  }
  return links;
}

export function urlsOf(links: readonly Link[], rel: string): readonly string[] {
  return links.filter((link) => link.rel === rel).map((link) => link.url);
}
