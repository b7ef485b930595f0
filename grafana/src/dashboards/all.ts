import { CONNECTIONS } from './connections.ts';
import type { Dashboard } from './dashboard.ts';
import { LOAD_TEST } from './load-test.ts';
import { OVERVIEW } from './overview.ts';
import { SERVICE_DASHBOARD } from './service.ts';

export const DASHBOARDS: readonly Dashboard[] = [OVERVIEW, SERVICE_DASHBOARD, CONNECTIONS, LOAD_TEST];
