// What the world's DNS server says about a name. Every name resolves to 127.0.0.1 until a test decides otherwise, so that
// a challenge for any hostname reaches the responder without set-up.

export type Failure = 'NXDOMAIN' | 'SERVFAIL' | 'DROP';
/** IPv4 addresses (none: the name exists without any), or how the lookup fails; DROP never answers. */
export type Answer = readonly string[] | Failure;

export interface Table {
  set(name: string, answer: Answer): void;
  clear(name: string): void;
  lookup(name: string): Answer;
  /** How many questions were asked so far, dropped ones included. */
  queries(): number;
}

const byDefault: Answer = ['127.0.0.1'];

/** An empty table. A name `*.example.com` stands for all names below it that have no entry of their own. */
export function createTable(): Table {
  const answers = new Map<string, Answer>();
  let asked = 0;
  return {
    set: (name, answer) => void answers.set(canonical(name), answer),
    clear: (name) => void answers.delete(canonical(name)),
    lookup: (name) => {
      asked += 1;
      const wanted = candidates(canonical(name)).find((candidate) => answers.has(candidate));
      return (wanted === undefined ? undefined : answers.get(wanted)) ?? byDefault;
    },
    queries: () => asked,
  };
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function candidates(name: string): readonly string[] {
  const labels = name.split('.');
  return [name, ...labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`)];
}

/** Whether an untrusted value is an Answer: an array of IPv4 addresses or the name of a failure. */
export function isAnswer(value: unknown): value is Answer {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string' && /^\d+(\.\d+){3}$/.test(item));
  return value === 'NXDOMAIN' || value === 'SERVFAIL' || value === 'DROP';
}
