// Server-Sent Events: text in, in pieces of any size, payloads out. Comments, ids and names of events are skipped.
// Pure.

const longest = 32 * 1024 * 1024; // characters of one event; more means that the server does not speak this format

export class SseReader {
  private rest = '';
  private data: string[] = [];
  private held = 0;

  /** The payloads that are complete with this piece. */
  take(piece: string): string[] {
    const payloads: string[] = [];
    const lines = (this.rest + piece).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.takeLine(line.endsWith('\r') ? line.slice(0, -1) : line, payloads);
    if (this.rest.length + this.held > longest) throw new Error('an event of the stream is too long');
    return payloads;
  }

  private takeLine(line: string, payloads: string[]): void {
    if (line === '') {
      if (this.data.length) payloads.push(this.data.join('\n'));
      this.data = [];
      this.held = 0;
    } else if (line.startsWith('data:')) {
      const text = line.slice(line[5] === ' ' ? 6 : 5);
      this.data.push(text);
      this.held += text.length;
    }
  }
}
