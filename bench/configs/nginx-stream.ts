import { existsSync } from 'node:fs';

/** Where Debian's libnginx-mod-stream puts it; a build of nginx may hold it itself. */
const MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** Whether nginx can relay TCP and UDP here. */
export const hasStreamModule = (): boolean => existsSync(MODULE);

export interface NginxStreamOptions {
  readonly folder: string;
  readonly port: number;
  readonly backendPorts: readonly number[];
  readonly asRoot: boolean;
  readonly protocol: 'tcp' | 'udp';
}

/** Config of nginx as a relay of layer 4: one worker, three backends, what is not said by default. */
export function nginxStreamConfig(options: NginxStreamOptions): string {
  const { folder, port, backendPorts, asRoot, protocol } = options;
  const servers = backendPorts.map((each) => `    server 127.0.0.1:${each} max_fails=5 fail_timeout=10s;`);
  // or the kernel would hand datagrams to whichever process is awake, the master's socket among them
  const listen = protocol === 'udp' ? 'udp reuseport' : 'backlog=4096';
  return `load_module ${MODULE};
${asRoot ? 'user root;\n' : ''}worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx-error.log warn;
worker_rlimit_nofile 24000;
events { worker_connections 22000; }
stream {
  upstream app {
    zone app 256k;
    random two least_conn;
${servers.join('\n')}
  }
  server {
    listen 127.0.0.1:${port} ${listen};
    proxy_pass app;
    proxy_timeout ${protocol === 'udp' ? '30s' : '300s'};
    ${protocol === 'tcp' ? 'tcp_nodelay on;' : ''}
  }
}
`;
}
