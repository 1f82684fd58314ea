// Answers challenge requests from what is known, and asks the API server once where nothing is: another replica may have made the Order
// a moment ago. Called by the responder. A flood of requests must not become a flood of reads, so reads are shared, bounded and few.

import { type AnswerView, answer, isToken, type PendingOrder } from './answers.ts';

export interface LiveAnswersOptions {
  /** What the caches say now. */
  readonly known: AnswerView;
  /** One read of the unfinished Orders that name this host, past the caches. */
  readonly read: (host: string, signal: AbortSignal) => Promise<readonly PendingOrder[]>;
  readonly mostReads?: number;
  readonly longestReadMs?: number;
  /** A read that failed or took too long; the request is answered as unknown. */
  readonly onError: (error: unknown) => void;
}

export class LiveAnswers {
  readonly #options: LiveAnswersOptions;
  readonly #reads = new Map<string, Promise<readonly PendingOrder[]>>();

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
    const orders = await this.#readShared(host);
    return answer(host, token, { orders: () => orders });
  }

  #readShared(host: string): Promise<readonly PendingOrder[]> {
    const running = this.#reads.get(host);
    if (running !== undefined) return running;
    if (this.#reads.size >= (this.#options.mostReads ?? 16)) return Promise.resolve([]);
    const read = this.#readOnce(host).finally(() => this.#reads.delete(host));
    this.#reads.set(host, read);
    return read;
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
      return await Promise.race([this.#options.read(host, timeout.signal), late]);
    } catch (error) {
      this.#options.onError(error);
      return [];
    } finally {
      clearTimeout(timer);
    }
  }
}
