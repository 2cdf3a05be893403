// Asks again and again while the page is visible: the next question follows `every` ms after an answer. A change of a
// key begins anew.
import { useEffect } from 'preact/hooks';

export function usePoll(task: () => Promise<void>, every: number, delay: number, keys: unknown[]): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const turn = async () => {
      if (!document.hidden) await task();
      if (!over) timer = setTimeout(turn, every);
    };
    timer = setTimeout(turn, delay);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, keys);
}
