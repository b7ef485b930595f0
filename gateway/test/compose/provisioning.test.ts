import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { commandOf } from '../../../load-tests/runner/command.ts';
import { mounted, read, service } from './stack.ts';

interface Scrapes {
  readonly global: { readonly scrape_interval: string };
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly {
    readonly static_configs: readonly { readonly targets: string[] }[];
  }[];
}
interface Datasources {
  readonly datasources: readonly {
    readonly uid: string;
    readonly url: string;
    readonly jsonData: { readonly timeInterval: string };
  }[];
}
const prometheus = parse(read('grafana/prometheus/prometheus.yml')) as Scrapes;

test('Prometheus scrapes the gateway at its admin port every 5 s and reads all rules', () => {
  const targets = prometheus.scrape_configs.flatMap((job) =>
    job.static_configs.flatMap(({ targets }) => targets),
  );
  assert.deepEqual(targets, ['gateway:9901', 'localhost:9090']);
  assert.equal(prometheus.global.scrape_interval, '5s');
  assert.deepEqual(prometheus.rule_files, ['rules/*.yml']);
  const { command = [] } = service('prometheus');
  const config = command.find((flag) => flag.startsWith('--config.file='))?.split('=')[1] ?? '';
  assert.equal(mounted(service('prometheus'), config), 'grafana/prometheus/prometheus.yml');
});

test('Prometheus takes in what k6 writes', () => {
  assert.ok(service('prometheus').command?.includes('--web.enable-remote-write-receiver'));
  const remoteWriteUrl = 'http://prometheus:9090/api/v1/write';
  const request = { kind: 'run', scenario: 'load', flags: [], remoteWriteUrl } as const;
  const k6 = { kind: 'program', path: 'k6', version: '1' } as const;
  const BASE_URL = String(service('k6').environment?.['BASE_URL']);
  const options = { request, folder: '', env: { BASE_URL }, platform: 'linux', userId: undefined } as const;
  // so that the dashboards find the same series as after `npm run load`
  const { OUT_DIR: _, ...written } = commandOf(k6, options).env;
  const environment = service('k6').environment ?? {};
  for (const [name, value] of Object.entries(written)) assert.equal(environment[name], value, name);
});

test('Grafana knows Prometheus, and how often it scrapes', () => {
  const [source] = (parse(read('grafana/provisioning/datasources/prometheus.yml')) as Datasources)
    .datasources;
  assert.equal(source?.uid, 'prometheus');
  assert.equal(source.url, 'http://prometheus:9090');
  assert.equal(source.jsonData.timeInterval, prometheus.global.scrape_interval);
});
