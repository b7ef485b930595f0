/** The k6 that the scripts are written for. */
const K6_VERSION = '1.8.1';
export const K6_MODULE = `go.k6.io/k6@v${K6_VERSION}`;
export const K6_IMAGE = `grafana/k6:${K6_VERSION}`;
/** The first major that runs TypeScript as it is. */
export const OLDEST_MAJOR = 1;
