// What the commands for people share: a session that only looks, with the user's own rights, and the paper that they print on. Called by
// status.ts and check.ts.

import type { Reply } from '../api/reply.ts';
import { sentenceOf } from '../kube/problem.ts';
import { openSession, type Session } from '../kube/session.ts';
import type { Paper } from './status-print.ts';

/** The problem is a sentence about the kubeconfig. */
export async function openReader(
  kubeconfig: string | undefined,
  environment: NodeJS.ProcessEnv,
  userAgent: string,
): Promise<Reply<Session, string>> {
  try {
    const session = await openSession({
      ...(kubeconfig !== undefined && { kubeconfig }),
      environment,
      userAgent,
      guardWrite: () => false,
    });
    return { ok: true, value: session };
  } catch (error) {
    return { ok: false, problem: sentenceOf(error) };
  }
}

export interface PaperWish {
  /** $COLUMNS: where lines are to be wrapped although the output is no terminal. */
  readonly columns: number | undefined;
  /** $NO_COLOR. */
  readonly noColour: boolean;
}

export function paperFor({ columns, noColour }: PaperWish, stdout: NodeJS.WriteStream): Paper {
  return {
    width: stdout.isTTY ? stdout.columns : (columns ?? Number.POSITIVE_INFINITY),
    colours: stdout.isTTY && !noColour ? 'some' : 'none',
  };
}
