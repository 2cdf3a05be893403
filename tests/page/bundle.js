// Makes the unit tests, which are TypeScript and import the sources of the page, runnable: bundle.js PAGE OUT, where
// PAGE has the packages of the page and its sources. Newer versions of node could run them as they are.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [page, out] = process.argv.slice(2);
const { build } = createRequire(join(page, 'package.json'))('esbuild');
const folder = new URL('unit', import.meta.url).pathname;
await build({
  entryPoints: readdirSync(folder).map((name) => join(folder, name)),
  outdir: out,
  bundle: true,
  platform: 'node',
  format: 'esm',
  alias: { page: join(page, 'src') },
  logLevel: 'warning',
});
