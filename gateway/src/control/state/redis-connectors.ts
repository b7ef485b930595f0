import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  AbstractConnector,
  type SentinelConnectionOptions,
  SentinelConnector,
  type StandaloneConnectionOptions,
} from 'ioredis';

// ioredis listens once for the error of a socket, and ends sockets where it might destroy them. A TLS socket that is
// ended in its handshake can have two errors, of which the second would end the process (seen with ioredis 6.0 and
// Node 26.10). These connectors listen for all errors and destroy.

type Errors = (type: string, error: Error) => void;

/** Connects to one server. */
export class DirectConnector extends AbstractConnector {
  readonly #options: StandaloneConnectionOptions;

  constructor(options: unknown) {
    super(0);
    this.#options = options as StandaloneConnectionOptions;
  }

  override connect(_errors: Errors): Promise<Socket> {
    this.connecting = true;
    const { host = 'localhost', port = 6379, family = 0, tls } = this.#options;
    const where = { host, port, family };
    const stream = tls === undefined ? connectTcp(where) : connectTls(Object.assign({}, tls, where));
    stream.on('error', (error) => {
      this.firstError ??= error;
    });
    this.stream = stream;
    return Promise.resolve(stream);
  }

  override disconnect(): void {
    this.connecting = false;
    this.stream?.destroy();
  }
}

/** Asks sentinels where the master is, and connects to it. */
export class MasterConnector extends SentinelConnector {
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
  }

  override async connect(errors: Errors): Promise<Socket> {
    const stream = await super.connect(errors);
    stream.on('error', () => {});
    return stream;
  }

  override disconnect(): void {
    super.disconnect();
    this.stream?.destroy();
  }
}
