// Questions and orders to grayd outside of the stream. An error is the sentence that grayd says.

export interface Answer<Body> {
  body?: Body;
  error?: string;
  code?: number; // exit code of grayctl for the same error
  confirm?: string; // grayd would do it after a confirmation
}

/** The sentence of an answer that is not a success. */
export async function errorOf(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => '');
  try {
    const { error } = JSON.parse(text) as { error?: string };
    if (error) return error;
  } catch {
    // not JSON: shown as it is
  }
  return text.trim().slice(0, 500) || `grayd answered with status ${answer.status}`;
}

async function answerOf<Body>(request: Promise<Response>): Promise<Answer<Body>> {
  try {
    const answer = await request;
    if (answer.ok) return { body: (await answer.json()) as Body };
    const copy = answer.clone();
    const more = (await copy.json().catch(() => ({}))) as { exit_code?: number; confirm?: string };
    return { error: await errorOf(answer), code: more.exit_code, confirm: more.confirm };
  } catch (error) {
    const late = error instanceof DOMException && error.name === 'TimeoutError';
    return { error: late ? 'grayd has not answered within 15 s; it may still do it' : 'grayd cannot be reached' };
  }
}

export function ask<Body>(verb: string, args: Record<string, string> = {}): Promise<Answer<Body>> {
  const query = new URLSearchParams(args).toString();
  return answerOf(fetch(`/v1/${verb}${query ? `?${query}` : ''}`, { cache: 'no-store', signal: limit() }));
}

export function order(verb: string, body: Record<string, unknown>): Promise<Answer<Record<string, unknown>>> {
  const headers = { 'Content-Type': 'application/json', 'X-Grayd': 'page' };
  return answerOf(fetch(`/v1/${verb}`, { method: 'POST', headers, body: JSON.stringify(body), signal: limit() }));
}

function limit(): AbortSignal {
  return AbortSignal.timeout(15_000);
}
