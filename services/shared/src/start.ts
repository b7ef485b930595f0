// `npm start`: the demo on one machine, services and gateway.
import { fileURLToPath } from 'node:url';
import { readDemoMap } from './launcher/demo-map.ts';
import { launch } from './launcher/launch.ts';

const gatewayEntry = fileURLToPath(new URL('../../../gateway/src/main.ts', import.meta.url));
process.exit(await launch({ map: readDemoMap(process.env), env: process.env, gatewayEntry }));
