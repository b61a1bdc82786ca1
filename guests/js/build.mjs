// Makes a component of a JavaScript program: node build.mjs WIT SOURCE OUTPUT
//
// `cargo xtask guests` copies this file beside the node_modules it imports from. It calls componentize-js directly
// because jco's command of the same purpose looks for it relative to the current directory.

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { componentize } from '@bytecodealliance/componentize-js';

const [witPath, sourcePath, output] = process.argv.slice(2).map((path) => resolve(path));
const { component } = await componentize({
  sourcePath,
  witPath,
  worldName: 'files',
  // What is not disabled is imported by the engine, used or not, and a sidecar has no HTTP.
  disableFeatures: ['http', 'fetch-event'],
});
await writeFile(output, component);
