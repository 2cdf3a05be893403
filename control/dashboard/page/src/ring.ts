// Rows of numbers of a fixed width; the oldest row is overwritten when all are used. Memory is taken once. Pure.

export class Ring {
  private readonly columns: Float64Array[];
  private next = 0;
  private used = 0;

  constructor(
    width: number,
    readonly capacity: number,
  ) {
    this.columns = Array.from({ length: width }, () => new Float64Array(capacity));
  }

  get length(): number {
    return this.used;
  }

  push(row: readonly number[]): void {
    this.columns.forEach((column, i) => (column[this.next] = row[i]));
    this.next = (this.next + 1) % this.capacity;
    this.used = Math.min(this.used + 1, this.capacity);
  }

  /** A value of the row that is `index` after the oldest one. */
  at(column: number, index: number): number {
    return this.columns[column][(this.next - this.used + index + this.capacity) % this.capacity];
  }

  /** A value of the newest row; NaN if there is none. */
  last(column: number): number {
    return this.used ? this.at(column, this.used - 1) : NaN;
  }

  /** A column from its oldest value on. */
  column(column: number): number[] {
    return Array.from({ length: this.used }, (_, index) => this.at(column, index));
  }
}
