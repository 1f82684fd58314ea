// Answers challenge requests from what is known, and asks the API server where nothing is: another replica may have made the Order a moment ago.
// Called by the responder, which the internet can reach: reads are made only for hosts that an Order can be for, once a second at most, and
// four times a second while the host is being ordered.

import { setTimeout as pause } from 'node:timers/promises';
import { type AnswerView, answer, isToken, type PendingOrder } from './answers.ts';

export interface LiveAnswersOptions {
  /** What the caches say now. */
  readonly known: AnswerView;
  /** Whether an Order for the host can exist at all. */
  readonly expected: (host: string) => boolean;
  /** One read of the unfinished Orders that name this host, past the caches. */
  readonly read: (host: string, signal: AbortSignal) => Promise<readonly PendingOrder[]>;
  readonly mostReads?: number;
  readonly longestReadMs?: number;
  /** Between two reads for a host without unfinished Orders; 1 s unless told. */
  readonly pauseMs?: number;
  /** Between two reads for a host that is being ordered: its tokens are written a moment before the CA looks. 250 ms unless told. */
  readonly shortPauseMs?: number;
  /** A read that failed or took too long; the request is answered as unknown. */
  readonly onError: (error: unknown) => void;
}

interface Read {
  readonly orders: Promise<readonly PendingOrder[]>;
  /** A request that came before this sees all that was written before it came. */
  hasBegun: boolean;
}

interface Memory {
  /** ms, monotonic. */
  readonly at: number;
  readonly orders: readonly PendingOrder[];
}

const mostRemembered = 10_000;

export class LiveAnswers {
  readonly #options: LiveAnswersOptions;
  readonly #reads = new Map<string, Read>();
  /** What each host's last read gave; oldest first. */
  readonly #lastReads = new Map<string, Memory>();

  constructor(options: LiveAnswersOptions) {
    this.#options = options;
  }

  get reading(): number {
    return this.#reads.size;
  }

  /** The key authorization, or undefined where no unfinished Order justifies one. Never rejects. */
  async lookup(host: string, token: string): Promise<string | undefined> {
    if (!isToken(token)) return undefined;
    const known = answer(host, token, this.#options.known);
    if (known !== undefined) return known;
    if (!this.#options.expected(host)) return undefined;
    const last = this.#lastReads.get(host);
    // The CA asks from several places within a second: what was read for the first serves the others.
    const isYoung = last !== undefined && performance.now() - last.at < (this.#options.pauseMs ?? 1_000);
    if (isYoung) {
      const found = answer(host, token, { orders: () => last.orders });
      if (found !== undefined || last.orders.length === 0) return found;
    }
    return this.#readFor(host, token);
  }

  /** By the read under way, and where that began too early to know, by the next one. */
  async #readFor(host: string, token: string): Promise<string | undefined> {
    const running = this.#reads.get(host);
    if (running?.hasBegun === true) {
      const orders = await running.orders;
      const found = answer(host, token, { orders: () => orders });
      if (found !== undefined || orders.length === 0) return found;
    }
    const orders = await this.#next(host);
    return answer(host, token, { orders: () => orders });
  }

  #next(host: string): Promise<readonly PendingOrder[]> {
    const waiting = this.#reads.get(host);
    if (waiting !== undefined) return waiting.orders;
    if (this.#reads.size >= (this.#options.mostReads ?? 16)) return Promise.resolve([]);
    const { promise, resolve } = Promise.withResolvers<readonly PendingOrder[]>();
    const read: Read = { orders: promise, hasBegun: false };
    this.#reads.set(host, read);
    const end = (orders: readonly PendingOrder[]) => {
      this.#reads.delete(host);
      resolve(orders);
    };
    this.#readLater(host, read).then(end, () => end([]));
    return promise;
  }

  async #readLater(host: string, read: Read): Promise<readonly PendingOrder[]> {
    const { at = 0, orders = [] } = this.#lastReads.get(host) ?? {};
    const wait = orders.length === 0 ? 0 : at + (this.#options.shortPauseMs ?? 250) - performance.now();
    if (wait > 0) await pause(wait, undefined, { ref: false });
    read.hasBegun = true;
    return this.#readOnce(host);
  }

  #remember(host: string, orders: readonly PendingOrder[]): readonly PendingOrder[] {
    this.#lastReads.delete(host);
    this.#lastReads.set(host, { at: performance.now(), orders });
    const [oldest] = this.#lastReads.keys();
    if (this.#lastReads.size > mostRemembered && oldest !== undefined) this.#lastReads.delete(oldest);
    return orders;
  }

  async #readOnce(host: string): Promise<readonly PendingOrder[]> {
    const timeout = new AbortController();
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const error = new Error('the live read of Orders took too long');
      timeout.abort(error);
      reject(error);
    }, this.#options.longestReadMs ?? 2000);
    try {
      return this.#remember(host, await Promise.race([this.#options.read(host, timeout.signal), late]));
    } catch (error) {
      this.#options.onError(error);
      return this.#remember(host, []);
    } finally {
      clearTimeout(timer);
    }
  }
}
