// Builds what the package and the crate ship: `dist-js` (ES module, CommonJS, and the types of each), and `api-iife.js`, which the
// crate embeds for applications that set `app.withGlobalTauri`.
import terser from '@rollup/plugin-terser'
import typescript from '@rollup/plugin-typescript'
import { dts } from 'rollup-plugin-dts'

const input = 'guest-js/index.ts'
const external = ['@tauri-apps/api/core', '@tauri-apps/api/event']
const compile = () => typescript({ tsconfig: './tsconfig.json', include: ['guest-js/**'] })

export default [
  {
    input,
    external,
    plugins: [compile()],
    output: [
      { file: 'dist-js/index.js', format: 'es' },
      { file: 'dist-js/index.cjs', format: 'cjs' }
    ]
  },
  {
    input,
    external,
    plugins: [dts()],
    output: [
      { file: 'dist-js/index.d.ts', format: 'es' },
      { file: 'dist-js/index.d.cts', format: 'es' }
    ]
  },
  {
    input,
    external,
    plugins: [compile(), terser()],
    output: {
      file: 'api-iife.js',
      format: 'iife',
      name: '__TAURI_PLUGIN_WASI_SIDECAR__',
      globals: { '@tauri-apps/api/core': 'window.__TAURI__.core', '@tauri-apps/api/event': 'window.__TAURI__.event' },
      // A webview without the global API gets this script as well.
      banner: "if ('__TAURI__' in window) {",
      footer: "Object.defineProperty(window.__TAURI__, 'wasiSidecar', { value: __TAURI_PLUGIN_WASI_SIDECAR__ }) }"
    },
    onwarn(warning, warn) {
      throw Object.assign(new Error(), warning)
    }
  }
]
