// The page as a whole.
import { useEffect } from 'preact/hooks';
import { Daemon } from './daemon';
import { Overview } from './overview';
import { ServiceView } from './service';
import { announcement, link, picture, shown } from './store';

function focusFilter(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.closest('input, dialog')) return;
  event.preventDefault();
  document.getElementById('filter')?.focus();
}

function titleOf(): string {
  if (link.value.state === 'lost') return 'not live - grayd';
  const bad = picture.value?.figures?.versions.filter((one) => one.bad).length ?? 0;
  return bad ? `${bad} bad - grayd` : 'grayd';
}

export function Page() {
  useEffect(() => {
    addEventListener('keydown', focusFilter);
    return () => removeEventListener('keydown', focusFilter);
  }, []);
  const title = titleOf();
  useEffect(() => void (document.title = title), [title]);
  return (
    <>
      {shown.value && (
        <a class="skip" href="#service" onClick={skip}>
          To the details of {shown.value.name}
        </a>
      )}
      <Daemon />
      <p class="heard" role="status">{announcement.value}</p>
      <main>
        {picture.value ? <Overview /> : link.value.state === 'connecting' && <p>Connecting to grayd.</p>}
        {shown.value && <ServiceView service={shown.value} />}
      </main>
      <footer class="faint">
        Times are UTC. Errors are answers 5xx, and 502 and 504 because of the version. <kbd>/</kbd> goes to the
        filter, <kbd>Esc</kbd> clears it.
      </footer>
    </>
  );
}

/** The part after "#" is the state of the page, so the link moves the focus itself. */
function skip(event: MouseEvent): void {
  event.preventDefault();
  const target = document.getElementById('service');
  if (!target) return;
  target.tabIndex = -1;
  target.focus();
}
