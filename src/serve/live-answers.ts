// Answers challenge requests from what is known, and asks the API server once where nothing is: another replica may have made the Order
// a moment ago. Called by the responder, which the internet can reach: a read is made only for hosts that a Certificate names, once a second at most.

import { type AnswerView, answer, isToken, type PendingOrder } from './answers.ts';

export interface LiveAnswersOptions {
  /** What the caches say now. */
  readonly known: AnswerView;
  /** Whether a Certificate names the host: for any other no Order can exist. */
  readonly expected: (host: string) => boolean;
  /** One read of the unfinished Orders that name this host, past the caches. */
  readonly read: (host: string, signal: AbortSignal) => Promise<readonly PendingOrder[]>;
  readonly mostReads?: number;
  readonly longestReadMs?: number;
  /** Between two reads for one host; 1 s unless told. */
  readonly pauseMs?: number;
  /** A read that failed or took too long; the request is answered as unknown. */
  readonly onError: (error: unknown) => void;
}

const mostRemembered = 10_000;

export class LiveAnswers {
  readonly #options: LiveAnswersOptions;
  readonly #reads = new Map<string, Promise<readonly PendingOrder[]>>();
  /** What each host's last read gave, and when (ms, monotonic); oldest first. */
  readonly #lastReads = new Map<string, { readonly at: number; readonly orders: readonly PendingOrder[] }>();

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
    const orders = await this.#readShared(host);
    return answer(host, token, { orders: () => orders });
  }

  #readShared(host: string): Promise<readonly PendingOrder[]> {
    const running = this.#reads.get(host);
    if (running !== undefined) return running;
    const last = this.#lastReads.get(host);
    // The CA asks from several places within a second: what was read for the first serves the others.
    const isYoung = last !== undefined && performance.now() - last.at < (this.#options.pauseMs ?? 1_000);
    if (isYoung) return Promise.resolve(last.orders);
    if (this.#reads.size >= (this.#options.mostReads ?? 16)) return Promise.resolve([]);
    const read = this.#readOnce(host).finally(() => this.#reads.delete(host));
    this.#reads.set(host, read);
    return read;
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
