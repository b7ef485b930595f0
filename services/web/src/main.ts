import { runService } from '../../shared/src/run-service.ts';
import { buildWebApp } from './web-app.ts';

await runService({ service: 'web', defaultPort: 3000, build: buildWebApp });
