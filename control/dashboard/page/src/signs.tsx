// A state as a sign and a word: colour is never the only difference.
const good = ['serving', 'healthy', 'ready', 'ok', 'pass', 'promoted', 'done'];
const bad = ['failed', 'unhealthy', 'worse', 'fail', 'aborted', 'bad'];
const changing = [
  'starting', 'spawned', 'draining', 'stopping', 'backoff', 'stepping', 'holding', 'promoting', 'paused',
];

function kindOf(word: string): 'good' | 'bad' | 'changing' | 'plain' {
  if (good.includes(word)) return 'good';
  if (bad.includes(word)) return 'bad';
  return changing.includes(word) ? 'changing' : 'plain';
}

const signs = { good: '●', bad: '▲', changing: '◐', plain: '○' };

export function Sign({ word }: { word: string }) {
  const kind = kindOf(word);
  return (
    <span class={`sign ${kind}`}>
      <span aria-hidden="true">{signs[kind]}</span> {word}
    </span>
  );
}
