// Builds the page as one HTML file: OUT=dir npm run build writes
//   dir/index.html      script and style inlined, no address of another host
//   dir/index.html.gz   the same, compressed
//   dir/csp.txt         the value of Content-Security-Policy, with the hashes of the script and of the style
// The build fails if the compressed page is larger than LIMIT.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const LIMIT = 45_000; // bytes
const out = resolve(process.env.OUT || 'dist');

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

function policyOf(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/**
 * What uPlot has for kinds of scales, lines and legends that the page does not use: a fifth of its size. An exported
 * function loses its export, another one is replaced by an empty one; the minifier then leaves out the code behind it.
 * The build fails if a new uPlot has no such code.
 */
const exported = [
  '(paths.bars    = bars);',
  '(paths.spline  = monotoneCubic);',
  'uPlot.join = join;',
  'uPlot.rangeLog = rangeLog;',
  'uPlot.rangeAsinh = rangeAsinh;',
];
const emptied: Record<string, string> = {
  genTimeStuffs: '[[], [], () => []]', // the page has its own marks of time
  rangeLog: '[]',
  rangeAsinh: '[]',
  logAxisSplits: '[]',
  asinhAxisSplits: '[]',
  log10AxisValsFilt: '[]',
  log2AxisValsFilt: '[]',
  initLegendRow: '[]',
  clipBandLine: 'null',
};

function lessOfPlot(): Plugin {
  return {
    name: 'less-of-uplot',
    transform(code, id) {
      if (!id.endsWith('/uPlot.esm.js')) return null;
      const replace = (old: string, text: string) => {
        if (!code.includes(old)) this.error(`uPlot has no "${old}": see lessOfPlot in vite.config.ts`);
        code = code.replace(old, text);
      };
      for (const statement of exported) replace(statement, '');
      for (const [name, result] of Object.entries(emptied)) {
        replace(`function ${name}(`, `function ${name}() { return ${result}; }\nfunction unused_${name}(`);
      }
      return { code, map: null };
    },
  };
}

/** Replaces the links of Vite by the contents of its one script and its one style, and writes the three files. */
function oneFile(): Plugin {
  return {
    name: 'one-file',
    enforce: 'post',
    generateBundle(_options, bundle) {
      let script = '';
      let style = '';
      let html = '';
      for (const part of Object.values(bundle)) {
        if (part.type === 'chunk') script += part.code;
        else if (part.fileName.endsWith('.css')) style += String(part.source);
        else if (part.fileName.endsWith('.html')) html = String(part.source);
        delete bundle[part.fileName];
      }
      script = script.trim();
      if (/<(\/?script|!--)/i.test(script)) this.error('the script has text that HTML would take for its end');
      style = style.trim();
      const page = html
        .replace(/\s*<script type="module"[^>]*><\/script>/, '')
        .replace(/\s*<link rel="stylesheet"[^>]*>/, '')
        .replace('</head>', () => `<style>${style}</style></head>`)
        .replace('</body>', () => `<script type="module">${script}</script></body>`);
      if (!script || !style || (page.match(/<script/g) ?? []).length !== 1) this.error('expected one script and style');
      const packed = gzipSync(page, { level: constants.Z_BEST_COMPRESSION });
      if (packed.length > LIMIT) {
        this.error(`the compressed page has ${packed.length} bytes, more than the limit of ${LIMIT}`);
      }
      mkdirSync(out, { recursive: true });
      writeFileSync(join(out, 'index.html'), page);
      writeFileSync(join(out, 'index.html.gz'), packed);
      writeFileSync(join(out, 'csp.txt'), policyOf(script, style) + '\n');
      console.log(`${out}: ${page.length} bytes, ${packed.length} compressed (limit ${LIMIT})`);
    },
  };
}

export default defineConfig({
  plugins: [lessOfPlot(), oneFile()],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2022',
    minify: 'terser',
    terserOptions: { module: true, ecma: 2020, compress: { passes: 2 }, format: { comments: false } },
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    outDir: out,
    emptyOutDir: false,
    reportCompressedSize: false,
  },
});
