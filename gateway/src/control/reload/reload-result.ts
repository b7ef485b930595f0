import type { PlanChange } from '../../data/port.ts';

/** How a reload went. When it failed nothing has changed, and the problems are worded as `portway check` prints them. */
export type ReloadResult =
  | { readonly ok: true; readonly changes: readonly PlanChange[] }
  | { readonly ok: false; readonly problems: readonly string[] };
