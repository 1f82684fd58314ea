// What stands in front of a CA, or goes wrong on the way back from it, and makes its answers unreadable: pages, broken JSON, floods, lost
// connections. The CA has acted on the request in every one of them. Called by scripts of the ACME fault proxy.

import type { Answer, Verdict } from './verdict.ts';

const page = '<!doctype html><html><title>502 Bad Gateway</title><body>nginx</body></html>';

const edits = {
  'an answer cut short inside its JSON': (answer) => ({
    ...answer,
    body: String(answer.body).slice(0, answer.body.length / 2),
  }),
  'a page where an answer belongs': (answer) => ({
    ...answer,
    headers: { ...answer.headers, 'content-type': 'text/html' },
    body: page,
  }),
  'a page in the place of the answer, with 502': () => ({
    status: 502,
    headers: { 'content-type': 'text/html' },
    body: page,
  }),
  'the right answer called something else': (answer) => ({
    ...answer,
    headers: { ...answer.headers, 'content-type': 'application/octet-stream' },
  }),
  'two mebibytes': (answer) => ({ ...answer, body: `${answer.body}${' '.repeat(2 * 1024 * 1024)}` }),
  'JSON of something else': (answer) => ({
    ...answer,
    headers: { ...answer.headers, 'content-type': 'application/json' },
    body: '{"status":42,"identifiers":"none"}',
  }),
} as const satisfies Record<string, (answer: Answer) => Answer>;

/** Who cannot read an answer does not read in it when to come again. */
function spoiled(edit: (answer: Answer) => Answer): Verdict {
  return {
    kind: 'edit',
    edit: ({ headers: { 'retry-after': _, ...headers }, ...answer }) => edit({ ...answer, headers }),
  };
}

/** The CA has acted, and its answer tells nobody. */
export const spoils: readonly (readonly [string, Verdict])[] = [
  ['a lost reply', { kind: 'dropReply' }],
  ['half a reply', { kind: 'halveReply' }],
  ...Object.entries(edits).map(([name, edit]) => [name, spoiled(edit)] as const),
];
