import { sleep } from 'k6';
import http from 'k6/http';
import { createdId, DOWNLOAD_PATH, fileText, type Seed } from './calls.ts';
import { readTarget } from './environment.ts';

const ITEMS = 20;
const TRIES = 20;
const PAUSE_S = 0.5;

/** k6's setup: makes what the load will ask for. Throws when the gateway cannot be used for so long (10 s). */
export function seed(): Seed {
  const { baseUrl } = readTarget(__ENV);
  // before the first item, so that a gateway that is just starting costs no half-made setup
  put(`${baseUrl}${DOWNLOAD_PATH}`, fileText());
  const itemIds: number[] = [];
  for (let made = 0; made < ITEMS; made++) {
    const response = http.post(`${baseUrl}/db/items`, JSON.stringify({ name: 'load', quantity: made }), {
      headers: { 'content-type': 'application/json' },
      tags: { route: 'setup', name: 'setup' },
    });
    const id = createdId(String(response.body));
    if (id === undefined)
      throw new Error(`the setup could not create an item: ${response.status} ${response.error}`);
    itemIds.push(id);
  }
  return { itemIds };
}

function put(url: string, body: string): void {
  const seen: string[] = [];
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const response = http.put(url, body, {
      tags: { route: 'setup', name: 'setup' },
      responseCallback: http.expectedStatuses({ min: 0, max: 599 }),
    });
    if (response.status === 200 || response.status === 201) return;
    seen.push(response.status === 0 ? response.error : `${response.status}`);
    sleep(PAUSE_S);
  }
  throw new Error(`${url} cannot be written: ${seen.at(-1)}; does the gateway run there (npm start)?`);
}
