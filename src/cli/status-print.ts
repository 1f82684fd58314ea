// Turns the view into lines for people: a tree with a mark for each object, wrapped to the terminal, and the sentence last. Pure; called by status.ts
// and check.ts.

import type { Mark, StatusView, ViewNode } from './status-node.ts';

export interface Paper {
  /** Columns; Infinity where nothing is to be wrapped, as in a pipe. */
  readonly width: number;
  readonly colours: 'some' | 'none';
}

const signs: Readonly<Record<Mark, { readonly sign: string; readonly colour: number }>> = {
  good: { sign: '✓', colour: 32 },
  busy: { sign: '…', colour: 33 },
  bad: { sign: '✗', colour: 31 },
  hidden: { sign: '?', colour: 35 },
  note: { sign: '·', colour: 2 },
};
/** Narrower than this a wrapped tree cannot be read. */
const leastRoom = 24;

export function statusLines(view: StatusView, paper: Paper): readonly string[] {
  const { kind, namespace, name } = view.object;
  return treeLines(`${kind} ${namespace}/${name}`, view, paper);
}

/** The same form for whatever is answered by a tree and a verdict. */
export function treeLines(title: string, view: Omit<StatusView, 'object'>, paper: Paper): readonly string[] {
  const colour = view.verdict.state === 'good' ? 32 : 1;
  return [
    plain(title),
    ...branches(view.tree, '', paper),
    ...(view.unseen.length === 0 ? [] : ['', 'Not seen:']),
    ...view.unseen.flatMap((what) => hang('  ', '  ', plain(what), paper.width)),
    '',
    ...hang('', '', plain(view.verdict.sentence), paper.width).map((line) => coloured(line, colour, paper)),
  ];
}

function branches(nodes: readonly ViewNode[], indent: string, paper: Paper): readonly string[] {
  return nodes.flatMap((node, index) => {
    const isLast = index === nodes.length - 1;
    const under = node.under ?? [];
    const below = `${indent}${isLast ? '   ' : '│  '}`;
    const rest = `${below}${under.length > 0 ? '│ ' : '  '}`;
    const label = [node.what, node.name].filter((word) => word !== undefined).join(' ');
    const { sign, colour } = signs[node.mark];
    const lines = hang(`${indent}${isLast ? '└─' : '├─'} ${sign} `, rest, plain(`${label}: ${node.says}`), paper.width);
    const [first = '', ...more] = lines;
    return [first.replace(sign, coloured(sign, colour, paper)), ...more, ...branches(under, below, paper)];
  });
}

/** Words in lines of the width, the first behind `head`, the others behind `rest`. */
function hang(head: string, rest: string, text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = head;
  let isEmpty = true;
  for (const word of text.split(/ +/)) {
    const room = Math.max(width, (lines.length === 0 ? head : rest).length + leastRoom);
    if (!isEmpty && line.length + 1 + word.length > room) {
      lines.push(line);
      line = rest;
      isEmpty = true;
    }
    line = isEmpty ? `${line}${word}` : `${line} ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

function coloured(text: string, colour: number, { colours }: Paper): string {
  return colours === 'none' ? text : `\u001b[${colour}m${text}\u001b[0m`;
}

/** Names and messages are other people's: they cannot steer the terminal. */
export function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
}
