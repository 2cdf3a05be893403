// What a person can do with the service now: buttons if grayd permits orders from the page, else the commands to type.
import { useSignal } from '@preact/signals';
import { actionsOf, socketCommand, type Action } from './commands';
import { Confirm } from './confirm';
import { Command } from './copy';
import type { Service } from './picture';
import { announcement, picture, rollout } from './store';

export function Actions({ service }: { service: Service }) {
  const open = useSignal<Action | null>(null);
  const done = useSignal('');
  const all = actionsOf(service, rollout.value);
  const socket = socketCommand(picture.value!.status.admin);
  const close = (said: string) => {
    open.value = null;
    if (said) announcement.value = done.value = said;
  };
  return (
    <section aria-labelledby="actions">
      <h3 id="actions">Actions</h3>
      {!all.length && <p>Nothing to do: no rollout runs, and no other version can take users.</p>}
      {picture.value!.writable ? (
        <p class="buttons">
          {all.map((action) => (
            <button key={action.label} type="button" onClick={() => (open.value = action)}>
              {action.label}
            </button>
          ))}
        </p>
      ) : (
        all.length > 0 && (
          <>
            <p>
              This page is read-only (<code>[admin] write</code> is false). In a terminal:
            </p>
            <ul class="commands">
              {socket && (
                <li>
                  <Command text={socket} />
                </li>
              )}
              {all.map((action) => (
                <li key={action.label}>
                  <Command text={action.command} />
                </li>
              ))}
            </ul>
          </>
        )
      )}
      {done.value && <p>{done.value}</p>}
      {open.value && <Confirm key={open.value.label} action={open.value} service={service.name} close={close} />}
    </section>
  );
}
