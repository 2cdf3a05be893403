// Figures as text. Pure. All clock times are UTC, as everywhere in grayd.

export const none = '–';

/** Three significant digits, at most two after the point: 0.25, 3.4, 120. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return none;
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 10) return value.toFixed(2);
  if (size < 100) return value.toFixed(1);
  return grouped(Math.round(value));
}

/** Digits in groups of three: 12 345. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** Percent of a ratio, always two digits after the point, so that a column lines up. */
export function percent(ratio: number): string {
  return Number.isFinite(ratio) ? (100 * ratio).toFixed(2) : none;
}

/** A share of users in percent, as it was given. */
export function share(weight: number): string {
  return Number.isFinite(weight) ? String(Math.round(weight * 1000) / 1000) : none;
}

/** Milliseconds in a column of milliseconds. */
export function milliseconds(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return none;
  return value < 100 ? value.toFixed(1) : grouped(Math.round(value));
}

/** Bytes as MiB in a column of MiB. */
export function mebibytes(bytes: number): string {
  return bytes > 0 ? (bytes / 1048576).toFixed(1) : none;
}

/** "3 d 4 h", "5 min 12 s", "8 s". */
export function elapsed(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [d, h] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24];
  const [m, s] = [Math.floor(whole / 60) % 60, whole % 60];
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${m} min`;
  return m ? `${m} min ${s} s` : `${s} s`;
}

/** "22:14:03" of milliseconds since 1970. */
export function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}

/** "11-30 22:14:03.123" of a time in an answer. */
export function moment(time: string): string {
  return time.slice(5, 23).replace('T', ' ').replace('Z', '');
}

export function plural(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}
