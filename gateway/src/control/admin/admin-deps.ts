import type { AdminState, BackendRef, DataStatus, ExplainQuestion, Explanation } from '../../data/port.ts';
import type { Log } from '../log.ts';
import type { Exposition } from '../metrics/exposition.ts';
import type { ReloadResult } from '../reload/reload-result.ts';
import type { LiveFeed } from '../status-page/live-feed.ts';

/** What the admin API shows and changes. */
export interface AdminDeps {
  readonly status: () => DataStatus;
  readonly explain: (question: ExplainQuestion) => Explanation;
  /** False: there is no such backend. */
  readonly setAdmin: (ref: BackendRef, state: AdminState) => boolean;
  /** 1 to 1000; undefined: the plan's. False: there is no such backend. */
  readonly setWeight: (ref: BackendRef, weight: number | undefined) => boolean;
  readonly reload: () => Promise<ReloadResult>;
  /** Whether new requests should come here; the reasons say why not. */
  readonly readiness: () => { readonly ready: boolean; readonly reasons: readonly string[] };
  /** Version, replica, uptime and the like: plain data without secrets, shown to everybody who may read. */
  readonly about: () => object;
  /** What the status page lives on, and which ends with the server; left out: no status page. */
  readonly feed?: LiveFeed;
  /** Left out: no /metrics. */
  readonly metrics?: Exposition;
  readonly log: Log;
}
