import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import type { ServiceOptions } from '../../shared/src/service.ts';
import { buildService } from '../../shared/src/service.ts';

interface Page {
  readonly path: string;
  readonly file: string;
  readonly type: string;
}

const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';

const PAGES: readonly Page[] = [
  { path: '/', file: 'landing.html', type: HTML },
  { path: '/chat-page', file: 'chat-page.html', type: HTML },
  { path: '/assets/landing.js', file: 'landing.js', type: SCRIPT },
  { path: '/assets/chat-page.js', file: 'chat-page.js', type: SCRIPT },
  { path: '/assets/style.css', file: 'style.css', type: 'text/css; charset=utf-8' },
];

/** ws: and wss: are named because 'self' does not cover them in every browser. */
const POLICY =
  "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; frame-ancestors 'none'";

/** The web service: the landing page, the chat page and what they load, all from memory. */
export async function buildWebApp(options: ServiceOptions): Promise<FastifyInstance> {
  const { app, instanceName } = buildService('web', options);
  for (const { path, file, type } of PAGES) {
    const text = await readFile(new URL(`../public/${file}`, import.meta.url), 'utf8');
    app.get(path, (_request, reply) => {
      // the pages name the instance that answered, so a cache must not keep them
      reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff').type(type);
      if (type !== HTML) return reply.send(text);
      return reply
        .header('content-security-policy', POLICY)
        .send(text.replaceAll('{{instance}}', () => escapeHtml(instanceName())));
    });
  }
  return app;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
