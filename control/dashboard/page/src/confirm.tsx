// The dialog before an order to grayd: what it does, and the name of the version to type. What grayd refuses is shown
// in its words.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { order } from './api';
import { bodyOf, type Action } from './commands';
import { Command } from './copy';

interface Props {
  action: Action;
  service: string;
  close: (done: string) => void;
}

export function Confirm({ action, service, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const typed = useSignal('');
  const percent = useSignal('');
  const anyway = useSignal(false);
  const asks = useSignal(false); // grayd wants a confirmation that this is meant
  const error = useSignal('');
  const waits = useSignal(false);
  useEffect(() => dialog.current?.showModal(), []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (waits.value) return;
    const body = bodyOf(action, percent.value, anyway.value);
    if (!body) return void (error.value = 'The share is a number from 0 to 100.');
    if (typed.value.trim() !== action.typed) return void (error.value = `Type ${action.typed} to confirm.`);
    waits.value = true;
    const answer = await order(action.verb, body);
    waits.value = false;
    if (!answer.error) return close(`Accepted: ${action.command.replace('PERCENT', percent.value)}`);
    error.value = answer.error;
    asks.value = answer.confirm !== undefined;
  };
  return (
    <dialog ref={dialog} aria-labelledby="order" onClose={() => close('')}>
      <form onSubmit={submit}>
        <h2 id="order">
          {action.label}, service {service}
        </h2>
        <p>{action.effect}</p>
        {action.needsPercent && (
          <p>
            <label for="percent">Share of the users, percent</label>
            <input
              id="percent"
              inputMode="decimal"
              autocomplete="off"
              value={percent.value}
              onInput={(event) => (percent.value = event.currentTarget.value)}
            />
          </p>
        )}
        <p>
          <label for="typed">
            Type <b>{action.typed}</b> to confirm
          </label>
          <input
            id="typed"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            value={typed.value}
            onInput={(event) => (typed.value = event.currentTarget.value)}
          />
        </p>
        {error.value && (
          <p class="error" role="alert">
            {error.value}
          </p>
        )}
        {asks.value && (
          <p>
            <label>
              <input
                type="checkbox"
                checked={anyway.value}
                onChange={(event) => (anyway.value = event.currentTarget.checked)}
              />
              do it anyway (--yes)
            </label>
          </p>
        )}
        <p class="buttons">
          <button type="submit" class="strong">{waits.value ? 'grayd is working' : action.label}</button>
          <button type="button" onClick={() => dialog.current?.close()}>Cancel</button>
        </p>
        <p class="faint">
          The same in a terminal: <Command text={action.command.replace('PERCENT', percent.value || 'PERCENT')} />
        </p>
      </form>
    </dialog>
  );
}
