// What the mock shows: moments of a real release (release.json.gz, recorded from a grayd with two services under load:
// v2 gets 5 and 25 % of the users, fails, and is taken back), and changes of them.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const recorded = JSON.parse(gunzipSync(readFileSync(new URL('release.json.gz', import.meta.url))));
const { pictures } = recorded;

const tick = 500; // ms between two pictures of a stream
const quick = 8; // ms, while the past is replayed

const rolloutOf = (picture) => picture.rollouts.find((one) => one.service === 'shop');
const firstWith = (test) => pictures.findIndex(test);
const moments = {
  healthy: firstWith((one) => rolloutOf(one)) - 2,
  rollout: firstWith((one) => rolloutOf(one)?.step === 2) + 8,
  aborted: firstWith((one) => rolloutOf(one)?.state === 'aborted') + 6,
};

function copyOf(picture) {
  return structuredClone(picture);
}

/** Replays the recording up to a moment, with each picture changed, and then stays there; time goes on. */
function upTo(moment, change = () => {}) {
  return function* stream() {
    for (const picture of pictures.slice(0, moment)) {
      const one = copyOf(picture);
      change(one, false);
      yield [one, quick];
    }
    for (let time = pictures[moment].time_ms; ; time += tick) {
      const one = copyOf(pictures[moment]);
      one.time_ms = time;
      change(one, true);
      yield [one, tick];
    }
  };
}

const logLines = { lines: recorded.logs.lines, last: recorded.logs.last };

const answers = {
  logs: (query) => (Number(query.after) >= logLines.last ? { lines: [], last: logLines.last } : logLines),
  memory: () => recorded.memory,
  why: (query) =>
    query.request_id === 'unknown'
      ? { status: 404, exit_code: 1, error: 'no request unknown in access.log and its predecessor (2.0 MiB searched)' }
      : query.path
      ? { text: `GET ${query.path} → stable v1`, service: query.service, table: 8, steps: [] }
      : {
          text: 'cookie uid → bucket 50.7 % < 100 % → canary v2',
          service: 'shop',
          table: 8,
          request: { method: 'GET', host: '127.0.0.1:8000', path: '/', client: '127.0.0.1' },
          logged: { status: 200, reason: '', worker: 'shop@v2#0', bytes_out: 11, duration_us: 16518, retries: 0 },
          steps: [
            { label: 'identity', text: 'cookie:uid' },
            { label: 'bucket', text: '50.7 % < 100 % of salt shop/v2, hash 81d574ae5492603c' },
          ],
          replay: { text: 'decided again from this line: the same' },
        },
};

const shopVersion = (picture, name) =>
  picture.status.services.find((one) => one.name === 'shop').versions.find((one) => one.name === name);

/** v2 has users by `grayctl shift`, and fails. */
function makeBad(picture, now) {
  picture.rollouts = [];
  if (!now) return;
  const [v1, v2] = [shopVersion(picture, 'v1'), shopVersion(picture, 'v2')];
  Object.assign(v1, { weight: 80 });
  Object.assign(v2, {
    weight: 20, state: 'serving', verdict: 'worse',
    verdict_text: '7.90% of its requests failed, 0.00% of those of stable (57 users)',
  });
  Object.assign(v2.last_minute, { requests_per_second: 21.4, error_ratio: 0.082, p50_ms: 71.2, p99_ms: 311 });
  const its = picture.figures.versions.find((one) => one.service === 'shop' && one.version === 'v2');
  Object.assign(its, {
    requests_per_second: 20.9, error_ratio: 0.0791, bad: true, verdict: 'worse',
    reason: '7.91% of the requests of the last 10 s failed; worse than stable',
  });
}

function makeEmpty(picture) {
  Object.assign(picture, { rollouts: [], events: [] });
  picture.status.services = [];
  picture.figures.versions = [];
}

function addQuantile(picture) {
  for (const service of picture.status.services)
    for (const { last_minute: minute } of service.versions) minute.p95_ms = (minute.p50_ms + 2 * minute.p99_ms) / 3;
}

/** `count` services with two versions each. */
function makeMany(count) {
  return (picture) => {
    const [service] = picture.status.services;
    const figures = picture.figures.versions.filter((one) => one.service === 'shop');
    picture.status.services = Array.from({ length: count }, (_, i) => ({ ...copyOf(service), name: `service-${i}` }));
    picture.figures.versions = picture.status.services.flatMap(({ name }) =>
      figures.map((one) => ({ ...one, service: name })),
    );
  };
}

const refused = {
  status: 409, exit_code: 3,
  confirm: 'shop@v2 is worse than stable', error: 'shop@v2 is worse than stable; to shift it anyway: --yes',
};

export const scenes = {
  healthy: { pictures: upTo(moments.healthy), answers },
  bad: { pictures: upTo(moments.aborted, makeBad), answers },
  rollout: { pictures: upTo(moments.rollout), answers },
  aborted: { pictures: upTo(moments.aborted), answers },
  empty: { pictures: upTo(1, makeEmpty), answers },
  quantile: { pictures: upTo(moments.rollout, addQuantile), answers },
  many: { pictures: upTo(3, makeMany(100)), answers },
  older: {
    pictures: upTo(moments.rollout, (picture) => delete picture.rollouts),
    answers: {
      ...answers,
      why: () => ({ access_log: '/var/log/grayd/access.log' }),
      'rollout-status': () => rolloutOf(pictures[moments.rollout]),
    },
  },
  writable: {
    writable: true,
    pictures: upTo(moments.rollout, (picture) => (picture.writable = true)),
    answers,
    orders: {
      'rollout-pause': () => ({ verb: 'rollout pause' }),
      'rollout-abort': () => ({ status: 409, exit_code: 3, error: 'shop has no rollout that runs' }),
    },
  },
  again: {
    writable: true,
    pictures: upTo(moments.aborted, (picture) => (picture.writable = true)),
    answers,
    orders: { 'rollout-retry': () => ({ verb: 'rollout retry' }) },
  },
  shifting: {
    writable: true,
    pictures: upTo(moments.healthy, (picture) => (picture.writable = true)),
    answers,
    orders: { shift: (body) => (body.yes ? { verb: 'shift' } : refused) },
  },
  full: { refusal: [503, { exit_code: 3, error: 'this page has 32 watchers already; close one of them' }], answers },
};
