import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A JSON document of exactly 620 bytes: the small answer. */
function smallAnswer(): string {
  const head = '{"id":7,"name":"a small answer","tags":["bench","json"],"text":"';
  return `${head}${'x'.repeat(620 - head.length - 2)}"}`;
}

const upload = (socket: string): string => `
    # Read whole before it is answered: nginx collects the body, then asks the sink, which answers its length.
    location = /up {
      client_max_body_size 16m; client_body_buffer_size 256k;
      proxy_pass http://sink; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_pass_request_body off; proxy_set_header Content-Length "";
      proxy_set_header X-Received $request_length;
    }
  }
  upstream sink { server unix:${socket}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen unix:${socket};
    location / { return 200 "$http_x_received"; }
  }`;

/** What the checking request is answered with: the headers that a gateway is expected to add, one a line. */
const echo = `
    location = /echo {
      return 200 "X-Forwarded-For: $http_x_forwarded_for\\nX-Forwarded-Proto: $http_x_forwarded_proto\\nX-Forwarded-Host: $http_x_forwarded_host\\nVia: $http_via\\nX-Request-Id: $http_x_request_id\\n";
    }`;

/**
 * Config of the nginx that stands for the backends: one worker, one port each, connections kept open.
 * Writes the files it serves into `folder`.
 */
export function backendConfig(folder: string, ports: readonly number[], asRoot: boolean): string {
  const files = join(folder, 'files');
  mkdirSync(files, { recursive: true });
  chmodSync(folder, 0o755);
  writeFileSync(join(files, '64k'), Buffer.alloc(64 * 1024, 'x'));
  writeFileSync(join(files, '1m'), Buffer.alloc(1024 * 1024, 'x'));
  const listens = ports.map((port) => `    listen 127.0.0.1:${port} backlog=4096;`).join('\n');
  return `${asRoot ? 'user root;\n' : ''}worker_processes 1;
daemon off;
pid ${folder}/backend.pid;
error_log ${folder}/backend-error.log warn;
worker_rlimit_nofile 20000;
events { worker_connections 16000; }
http {
  access_log off;
  sendfile on; tcp_nopush on; tcp_nodelay on;
  keepalive_timeout 300s; keepalive_requests 1000000000;
  open_file_cache max=16 inactive=10m;
  client_body_temp_path ${folder}/b-body; proxy_temp_path ${folder}/b-proxy;
  fastcgi_temp_path ${folder}/b-fastcgi; uwsgi_temp_path ${folder}/b-uwsgi; scgi_temp_path ${folder}/b-scgi;
  default_type application/json;
  server {
${listens}
    root ${files};
    add_header X-Backend $server_port;
    location = /64k { default_type application/octet-stream; }
    location = /1m { default_type application/octet-stream; }
    location / { return 200 '${smallAnswer()}'; }${echo}${upload(`${folder}/sink.sock`)}
}
`;
}
