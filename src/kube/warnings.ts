// Reads `Warning` response headers (RFC 9111 §5.5 as the API server uses them: code 299, agent "-", quoted text). Called by session.ts.

/** The texts alone; several warnings may share one header line. */
export function warningsOf(header: string | string[] | undefined): readonly string[] {
  if (header === undefined) return [];
  const lines = typeof header === 'string' ? [header] : header;
  return lines.flatMap((line) =>
    [...line.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) => (match[1] ?? '').replace(/\\(.)/g, '$1')),
  );
}
