// What the world's DNS server says about a name. Every name resolves to 127.0.0.1 until a test decides otherwise, so that
// a challenge for any hostname reaches the responder without set-up.

export type Failure = 'NXDOMAIN' | 'SERVFAIL' | 'DROP';
/** Everything about the name, and about all names below it, is asked at the server at address:port. */
export interface Forward {
  readonly forward: string;
}
/** IPv4 addresses (none: the name exists without any), how the lookup fails (DROP never answers), or who is asked instead. */
export type Answer = readonly string[] | Failure | Forward;

export interface Table {
  set(name: string, answer: Answer): void;
  clear(name: string): void;
  lookup(name: string): Answer;
  /** How many questions were asked so far, dropped ones included. */
  queries(): number;
}

const byDefault: Answer = ['127.0.0.1'];

/** An empty table. A name `*.example.com` stands for all names below it that have no entry of their own; so does a forwarded one. */
export function createTable(): Table {
  const answers = new Map<string, Answer>();
  let asked = 0;
  return {
    set: (name, answer) => void answers.set(canonical(name), answer),
    clear: (name) => void answers.delete(canonical(name)),
    lookup: (name) => {
      asked += 1;
      const found = candidates(canonical(name))
        .filter(({ entry, own }) => own || isForward(answers.get(entry)))
        .find(({ entry }) => answers.has(entry));
      return (found === undefined ? undefined : answers.get(found.entry)) ?? byDefault;
    },
    queries: () => asked,
  };
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** Entries that may stand for a name, the closest first; those that are not its `own` do so only when they forward. */
function candidates(name: string): readonly { readonly entry: string; readonly own: boolean }[] {
  const labels = name.split('.');
  const above = labels.slice(1).flatMap((_, index) => {
    const parent = labels.slice(index + 1).join('.');
    return [
      { entry: `*.${parent}`, own: true },
      { entry: parent, own: false },
    ];
  });
  return [{ entry: name, own: true }, ...above];
}

export function isForward(answer: Answer | undefined): answer is Forward {
  return typeof answer === 'object' && 'forward' in answer;
}

/** Whether an untrusted value is an Answer: an array of IPv4 addresses, the name of a failure, or an address to forward to. */
export function isAnswer(value: unknown): value is Answer {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string' && /^\d+(\.\d+){3}$/.test(item));
  if (typeof value === 'object' && value !== null && 'forward' in value) {
    return typeof value.forward === 'string' && /^\d+(\.\d+){3}:\d+$/.test(value.forward);
  }
  return value === 'NXDOMAIN' || value === 'SERVFAIL' || value === 'DROP';
}
