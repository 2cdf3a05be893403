// One build for each version: every file has its version's name in it, so every hash is a different one.
import { defineConfig } from 'vite';

const version = process.env.APP_VERSION;

export default defineConfig({
  define: { __VERSION__: JSON.stringify(version) },
  css: { preprocessorOptions: {} },
  build: { outDir: `dist/${version}`, assetsInlineLimit: 0, cssCodeSplit: true },
  plugins: [
    {
      name: 'version-in-css',
      transform: (code, id) => (id.endsWith('.css') ? code.replaceAll('VERSION', version) : null),
      enforce: 'pre',
    },
  ],
});
