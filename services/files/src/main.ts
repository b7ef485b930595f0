import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runService } from '../../shared/src/run-service.ts';
import { buildFilesApp } from './files-app.ts';

const GIB = 1024 ** 3;

await runService({
  service: 'files',
  defaultPort: 3002,
  build: (options) => {
    const maxFileBytes = Number(process.env['MAX_FILE_BYTES'] || GIB);
    if (!Number.isSafeInteger(maxFileBytes) || maxFileBytes < 1)
      throw new Error('MAX_FILE_BYTES must be a whole number of bytes');
    return buildFilesApp({
      ...options,
      folder: process.env['FILES_DIR'] || join(tmpdir(), 'portway-files'),
      maxFileBytes,
    });
  },
});
