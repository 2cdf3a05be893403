// A command to type in a terminal, with a button that copies it.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';

/** Browsers have a clipboard only on https and loopback; elsewhere the text is selected and the old way tried. */
async function copy(text: string, shown: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(shown);
    return document.execCommand('copy');
  }
}

export function Command({ text }: { text: string }) {
  const code = useRef<HTMLElement>(null);
  const said = useSignal('');
  const press = async () => {
    said.value = (await copy(text, code.current!)) ? 'Copied' : 'Selected: press Ctrl-C';
    setTimeout(() => (said.value = ''), 2000);
  };
  return (
    <span class="command">
      <code ref={code}>{text}</code>
      <button type="button" class="small" onClick={press} aria-label={`Copy: ${text}`}>
        {said.value || 'Copy'}
      </button>
    </span>
  );
}
