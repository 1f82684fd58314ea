// A whole HTTP reply as it came, for everything in this folder that reads one. Made by exchange.ts.

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** The header's first value; `name` in lower case. */
export function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}
