// How the window is built and tested: plain files that a strict content security policy takes as they are.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  clearScreen: false,
  server: { port: 1420, strictPort: true },
  // The plugin's package is linked from this repository and would bring a second copy along.
  resolve: { dedupe: ['@tauri-apps/api'] },
  build: {
    // What Tauri's webviews understand: WebView2, WKWebView and WebKitGTK of the last years.
    target: ['chrome105', 'safari15'],
    // Nothing becomes a `data:` address, and no script is written into the page.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // Style sheets are read as they are: a test looks into them.
  test: { environment: 'jsdom', include: ['tests/**/*.test.ts'], css: true },
})
