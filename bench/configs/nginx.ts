import type { Certificate } from '../certificate.ts';

/** What an nginx gateway's config depends on. */
export interface NginxOptions {
  readonly folder: string;
  readonly port: number;
  readonly backendPorts: readonly number[];
  readonly asRoot: boolean;
  /** Off: bodies are passed on as they come, as Portway does. On is nginx's default. */
  readonly buffering: boolean;
  /** 1 is a single `location /`; more are that many prefix locations /r0/, /r1/, … */
  readonly routes: number;
  readonly protocol: 'http' | 'https' | 'h2' | 'websocket';
  /** For https and h2. */
  readonly certificate: Certificate;
}

/** A peer does what Portway does: who asked, by which name, over what, through whom, and under which id. */
const proxy = (upgrade: boolean): string => `
    proxy_http_version 1.1;
    proxy_set_header Connection "${upgrade ? 'upgrade' : ''}";${upgrade ? '\n    proxy_set_header Upgrade $http_upgrade; proxy_read_timeout 300s;' : ''}
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header Via "1.1 nginx";
    proxy_set_header X-Request-Id $request_id;
    add_header Via "1.1 nginx";
    add_header X-Request-Id $request_id;`;

function locations(routes: number): string {
  if (routes === 1) return '    location / { proxy_pass http://app; }';
  const lines = Array.from(
    { length: routes },
    (_, index) => `    location /r${index}/ { proxy_pass http://app; }`,
  );
  return [...lines, '    location / { return 404; }'].join('\n');
}

/** Config of nginx as a gateway: one worker, three backends, keep-alive on both sides. */
export function nginxConfig(options: NginxOptions): string {
  const { folder, buffering, protocol, certificate } = options;
  const secure = protocol === 'https' || protocol === 'h2';
  const tls = secure
    ? `
    ssl_certificate ${certificate.cert}; ssl_certificate_key ${certificate.key};
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:tls:10m;`
    : '';
  const servers = options.backendPorts.map(
    (port) => `    server 127.0.0.1:${port} max_fails=5 fail_timeout=10s;`,
  );
  return `${options.asRoot ? 'user root;\n' : ''}worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx-error.log warn;
worker_rlimit_nofile 24000;
events { worker_connections 22000; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 75s; keepalive_requests 1000000000;
  client_max_body_size 10m; client_body_buffer_size 128k;
  client_body_temp_path ${folder}/n-body; proxy_temp_path ${folder}/n-proxy;
  fastcgi_temp_path ${folder}/n-fastcgi; uwsgi_temp_path ${folder}/n-uwsgi; scgi_temp_path ${folder}/n-scgi;
  upstream app {
    zone app 256k;
    random two least_conn;
${servers.join('\n')}
    keepalive 128; keepalive_requests 1000000000; keepalive_timeout 60s;
  }
  server {
    listen 127.0.0.1:${options.port} backlog=4096${secure ? ' ssl' : ''}${protocol === 'h2' ? ' http2' : ''};
    proxy_buffering ${buffering ? 'on' : 'off'};
    proxy_request_buffering ${buffering ? 'on' : 'off'};${proxy(protocol === 'websocket')}${tls}
${locations(options.routes)}
  }
}
`;
}
