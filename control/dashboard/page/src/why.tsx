// Why a request got its version: by its id, as it is in X-Request-Id and in the access log, or by a path.
import { useSignal } from '@preact/signals';
import { ask, type Answer } from './api';
import { quoted } from './commands';
import { Command } from './copy';

interface Explanation {
  text?: string;
  service?: string;
  table?: number;
  request?: { method: string; host: string; path: string; client: string; time?: string };
  logged?: { status: number; reason: string; worker: string; bytes_out: number; duration_us: number; retries: number };
  steps?: { label: string; text: string }[];
  replay?: { text: string };
}

function partsOf(its: Explanation): [string, string][] {
  const parts: [string, string][] = [];
  const { request, logged } = its;
  if (request) {
    const words = [`${request.method} ${request.host}${request.path}`, request.client && `from ${request.client}`];
    parts.push(['request', [...words, request.time && `at ${request.time}`].filter(Boolean).join(' ')]);
  }
  if (logged) {
    const answer = [String(logged.status), logged.reason, logged.worker && `by ${logged.worker}`].filter(Boolean);
    const ms = (logged.duration_us / 1000).toFixed(1);
    parts.push(['answer', `${answer.join(' ')}, ${logged.bytes_out} bytes in ${ms} ms, retries: ${logged.retries}`]);
  }
  if (its.service) parts.push(['service', `${its.service}, routing table ${its.table}`]);
  for (const step of its.steps ?? []) parts.push([step.label, step.text]);
  if (its.replay) parts.push(['replay', its.replay.text]);
  return parts;
}

function Answered({ asked, answer }: { asked: string; answer: Answer<Explanation> }) {
  if (answer.error) return <p class="error">{answer.error}</p>;
  const its = answer.body!;
  if (!its.text) {
    return (
      <p>
        This grayd does not search its access log for the page. In a terminal:{' '}
        <Command text={`grayctl why ${quoted(asked)}`} />
      </p>
    );
  }
  return (
    <>
      <p>
        <b>{its.text}</b>
      </p>
      <dl>
        {partsOf(its).map(([label, text], index) => (
          <div key={index}>
            <dt>{label}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

export function Why({ service }: { service: string }) {
  const words = useSignal('');
  const result = useSignal<{ asked: string; answer: Answer<Explanation> } | null>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const asked = words.value.trim();
    if (!asked) return;
    const args: Record<string, string> = asked.startsWith('/') ? { service, path: asked } : { request_id: asked };
    result.value = { asked, answer: await ask<Explanation>('why', args) };
  };
  return (
    <section aria-labelledby="why">
      <h3 id="why">Why this version</h3>
      <form onSubmit={submit}>
        <label for="request">Request id, or a path of {service}</label>
        <input
          id="request"
          value={words.value}
          autocomplete="off"
          spellcheck={false}
          placeholder="X-Request-Id, or /path"
          onInput={(event) => (words.value = event.currentTarget.value)}
        />
        <button type="submit">Explain</button>
      </form>
      {result.value && <Answered {...result.value} />}
    </section>
  );
}
