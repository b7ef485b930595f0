import { runService } from '../../shared/src/run-service.ts';
import { buildDbApp } from './db-app.ts';

await runService({
  service: 'db',
  defaultPort: 3001,
  build: (options) => buildDbApp({ ...options, file: process.env['DB_FILE'] || ':memory:' }),
});
