/** The config that `portway start` uses without --config: the demo's services on this machine (DESIGN §5). */
export const EMBEDDED_CONFIG = `# The demo. Every address can be moved with an environment variable.
listeners:
  - address: \${PORTWAY_HOST:-127.0.0.1}:\${PORTWAY_PORT:-8080}

admin:
  address: \${PORTWAY_ADMIN_HOST:-127.0.0.1}:\${PORTWAY_ADMIN_PORT:-9901}
  token: \${PORTWAY_ADMIN_TOKEN:-}

# Without a URL, what is known of the backends stays in memory.
redis:
  url: \${PORTWAY_REDIS_URL:-}

defaults:
  health: { path: /health }
  # A demo backend that hangs or fails is to cost nobody anything: what may be sent again goes to another one.
  retry:
    on: [connect-failure, reset, timeout, 500, 502, 503, 504]
    perTryTimeout: 1s

services:
  web:
    backends:
      - http://\${WEB_HOST:-127.0.0.1}:\${WEB_PORT:-3000}
  db:
    backends:
      - http://\${DB_HOST_1:-127.0.0.1}:\${DB_PORT_1:-3001}
      - http://\${DB_HOST_2:-127.0.0.1}:\${DB_PORT_2:-3011}
      - http://\${DB_HOST_3:-127.0.0.1}:\${DB_PORT_3:-3021}
    balance: p2c
  files:
    backends:
      - http://\${FILES_HOST_1:-127.0.0.1}:\${FILES_PORT_1:-3002}
      - http://\${FILES_HOST_2:-127.0.0.1}:\${FILES_PORT_2:-3012}
    balance: least-pending
  chat:
    backends:
      - http://\${CHAT_HOST_1:-127.0.0.1}:\${CHAT_PORT_1:-3003}
      - http://\${CHAT_HOST_2:-127.0.0.1}:\${CHAT_PORT_2:-3013}
    # A room lives in one instance: everybody in it (/chat/ws/ROOM) has to come to that one.
    balance: hash
    hash: { path: true }
    hashBalanceFactor: false

routes:
  - path: /db
    service: db
    stripPrefix: true
  - path: /files
    service: files
    stripPrefix: true
    maxBodySize: 1GiB
  - path: /chat
    service: chat
    stripPrefix: true
  - path: /
    service: web
`;
