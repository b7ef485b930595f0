import { cpus, release, totalmem } from 'node:os';

/** The machine that numbers were measured on: they mean nothing without it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
}

/** This machine. */
export function thisMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    // the vendor's suffix names builds, not behaviour
    kernel: release().split('-')[0] ?? release(),
    node: process.versions.node,
  };
}
