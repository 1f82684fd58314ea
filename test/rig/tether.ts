// The lifeline of a world: one small shell that starts every part and outlives us by a moment. It reads commands from a
// pipe; when the pipe closes, because we ended, crashed or were killed, it ends all parts and removes the directory.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Part {
  readonly pid: number;
  readonly logFile: string;
  /** The exit code, 128 + signal number for a killed part, or null when the tether ended with it. */
  readonly exited: Promise<number | null>;
}

export interface Command {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
}

export interface Tether extends AsyncDisposable {
  readonly pid: number;
  start(command: Command): Promise<Part>;
  /** From now on the directory's logs survive the end of the world; its data, certificates and keys do not. */
  keepLogs(): void;
}

// The shell leads its own process group: Ctrl-C in a terminal does not reach the parts, and the last `kill 0` finds
// whatever is left. Each part has a subshell that waits for it and reports its exit code.
const script = `
dir=$1 waiters= kept=
part() {
  id=$1 log=$2; shift 2
  ( trap 'kill -KILL $! 2>/dev/null; wait; exit' TERM
    "$@" </dev/null >>"$log" 2>&1 & echo "started $id $!"
    wait $!; echo "exited $id $?" ) &
  waiters="$waiters $!"
}
trap '' HUP INT PIPE
while IFS= read -r line; do eval "$line"; done
for waiter in $waiters; do kill -TERM $waiter 2>/dev/null; done
wait
for file in "$dir"/*; do
  case $file in $kept) ;; *) rm -rf "$file" ;; esac
done
rmdir "$dir" 2>/dev/null
kill -KILL 0
`;

/** Starts a tether that owns `dir`: it is removed with the world. */
export async function startTether(dir: string): Promise<Tether> {
  const shell = spawn('/bin/sh', ['-c', script, 'certway-tether', dir], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await once(shell, 'spawn');
  const { pid } = shell;
  if (pid === undefined) throw new Error('the tether has no process id');
  const ended = once(shell, 'exit').then(() => sweep(pid));
  const parts = listen(shell.stdout, ended);
  shell.stdin.on('error', () => undefined); // EPIPE when the shell was killed; `ended` tells
  let serial = 0;
  return {
    pid,
    start: ({ argv, env = {}, logFile }) => {
      serial += 1;
      const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      const words = ['env', ...settings, ...argv].map(quote).join(' ');
      shell.stdin.write(`part ${serial} ${quote(logFile)} ${words}\n`);
      return parts(serial, logFile);
    },
    keepLogs: () => void shell.stdin.write('kept=*.log\n'),
    [Symbol.asyncDispose]: async () => {
      shell.stdin.end();
      await ended;
    },
  };
}

type Parts = (id: number, logFile: string) => Promise<Part>;

function listen(output: NodeJS.ReadableStream, ended: Promise<void>): Parts {
  const starts = new Map<number, (pid: number) => void>();
  const exits = new Map<number, (code: number | null) => void>();
  createInterface({ input: output }).on('line', (line) => {
    const [event, id, value] = line.split(' ');
    if (event === 'started') starts.get(Number(id))?.(Number(value));
    if (event === 'exited') exits.get(Number(id))?.(Number(value));
  });
  return async (id, logFile) => {
    const started = Promise.withResolvers<number>();
    const exited = Promise.withResolvers<number | null>();
    starts.set(id, started.resolve);
    exits.set(id, exited.resolve);
    void ended.then(() => {
      started.reject(new Error('the world has ended'));
      exited.resolve(null);
    });
    return { pid: await started.promise, logFile, exited: exited.promise };
  };
}

// If someone killed the shell itself, its parts are still there, in its process group.
function sweep(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM'))) throw error;
  }
}

function quote(word: string): string {
  if (word.includes('\n')) throw new Error(`a part's command holds a line break: ${JSON.stringify(word)}`);
  return `'${word.replaceAll("'", "'\\''")}'`;
}
