/**
 * Faults to order: every demo service can be told to be slow, to fail, to hang, to call itself unhealthy or to
 * crash, so that one can watch what the gateway does about it.
 */
import type { Duplex } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Surroundings } from './surroundings.ts';

export interface Knobs {
  readonly delayMs: number;
  /** Up to this much is added to delayMs, drawn evenly. */
  readonly jitterMs: number;
  /** Share of requests answered with failStatus, 0 to 1. */
  readonly failRate: number;
  readonly failStatus: number;
  /** Requests (health checks too) are read and never answered. */
  readonly hang: boolean;
  /** GET /health answers 503. */
  readonly unhealthy: boolean;
}

/** What becomes of one request under the knobs. */
export type Verdict =
  | { readonly kind: 'pass'; readonly delayMs: number }
  | { readonly kind: 'fail'; readonly delayMs: number; readonly status: number }
  | { readonly kind: 'hang' };

const QUIET: Knobs = { delayMs: 0, jitterMs: 0, failRate: 0, failStatus: 500, hang: false, unhealthy: false };

const MAX_DELAY_MS = 60_000;
const knobsSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    delayMs: { type: 'number', minimum: 0, maximum: MAX_DELAY_MS },
    jitterMs: { type: 'number', minimum: 0, maximum: MAX_DELAY_MS },
    failRate: { type: 'number', minimum: 0, maximum: 1 },
    failStatus: { type: 'integer', minimum: 400, maximum: 599 },
    hang: { type: 'boolean' },
    unhealthy: { type: 'boolean' },
  },
} as const;

/** The knobs of one app, and the sockets its `hang` knob holds. */
export class KnobPanel {
  readonly #surroundings: Surroundings;
  readonly #held = new Set<Duplex>();
  #knobs: Knobs = QUIET;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  get knobs(): Knobs {
    return this.#knobs;
  }

  /** Replaces all knobs: one that is left out goes back to its default, as PUT means. */
  set(knobs: Partial<Knobs>): Knobs {
    this.#knobs = { ...QUIET, ...knobs };
    return this.#knobs;
  }

  /** Decides about one request, throwing the dice where the knobs ask for it. */
  judge(): Verdict {
    const { delayMs, jitterMs, failRate, failStatus, hang } = this.#knobs;
    if (hang) return { kind: 'hang' };
    const { random } = this.#surroundings;
    const waitMs = delayMs + (jitterMs > 0 ? random() * jitterMs : 0);
    if (failRate > 0 && random() < failRate) return { kind: 'fail', delayMs: waitMs, status: failStatus };
    return { kind: 'pass', delayMs: waitMs };
  }

  /** Waits; false when `peer` closed meanwhile, so that nobody is there to be answered. */
  async wait(delayMs: number, peer: Duplex | FastifyReply['raw']): Promise<boolean> {
    if (delayMs <= 0) return true;
    const gone = new AbortController();
    const onClose = () => gone.abort();
    peer.once('close', onClose);
    try {
      await this.#surroundings.sleep(delayMs, gone.signal);
      return !gone.signal.aborted;
    } catch (error) {
      if (gone.signal.aborted) return false;
      throw error;
    } finally {
      peer.off('close', onClose);
    }
  }

  /** Leaves a socket without an answer until its peer gives up or the app closes. */
  hold(socket: Duplex): void {
    this.#held.add(socket);
    socket.once('close', () => this.#held.delete(socket));
  }

  /** Cuts the held sockets: without it a hanging request would hold up the end of the process. */
  release(): void {
    for (const socket of this.#held) socket.destroy();
  }
}

/** Adds the /knobs routes, and the hook that applies the knobs to every other request of the app. */
export function addKnobs(app: FastifyInstance, panel: KnobPanel, exit: Surroundings['exit']): void {
  addKnobRoutes(app, panel, exit);
  app.addHook('preClose', (done) => {
    panel.release();
    done();
  });
  app.addHook('onRequest', (request, reply, done) => {
    const path = request.routeOptions.url;
    if (path?.startsWith('/knobs')) return done();
    const verdict = panel.judge();
    if (verdict.kind === 'hang') {
      reply.hijack();
      return panel.hold(request.raw.socket);
    }
    // a health check that is slow or failing because the demo is would hide what passive detection does
    if (path === '/health' || (verdict.kind === 'pass' && verdict.delayMs === 0)) return done();
    panel.wait(verdict.delayMs, reply.raw).then((there) => {
      if (!there) reply.hijack();
      else if (verdict.kind === 'pass') done();
      else
        reply
          .code(verdict.status)
          .send({ error: 'the failRate knob asked for this', status: verdict.status });
    }, done);
  });
}

function addKnobRoutes(app: FastifyInstance, panel: KnobPanel, exit: Surroundings['exit']): void {
  app.get('/knobs', () => panel.knobs);
  app.delete('/knobs', () => panel.set({}));
  app.put<{ Body: Partial<Knobs> }>('/knobs', { schema: { body: knobsSchema } }, (request) =>
    panel.set(request.body),
  );
  app.post('/knobs/crash', (_request, reply) => {
    if (exit === undefined) return reply.code(501).send({ error: 'this app may not end its process' });
    // 'finish' means the answer is with the kernel, so it arrives although the process is gone
    reply.raw.once('finish', () => exit(1));
    return reply.code(202).send({ crashing: true });
  });
}
