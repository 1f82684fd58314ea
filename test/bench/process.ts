// CPU time and peak memory of the controller's process, from /proc (Linux).

import { readFile } from 'node:fs/promises';

export interface ProcessUse {
  readonly cpuSeconds: number;
  /** Peak since the process began, in 10⁶ bytes. */
  readonly peakMb: number;
}

// USER_HZ, which proc(5) counts in, is 100 on every architecture that Node runs on.
const ticksPerSecond = 100;

export async function processUse(pid: number): Promise<ProcessUse> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  // The command's name, in brackets, may hold spaces: count fields after it. utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const peakKib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
  return { cpuSeconds: ticks / ticksPerSecond, peakMb: (peakKib * 1024) / 1e6 };
}
