// Copies standard input to standard output as it arrives, until end of file.
//
// Arguments: none. Exit code: 0, or 1 when a stream fails.

import { getStdin } from 'wasi:cli/stdin@0.2.12';
import { getStdout } from 'wasi:cli/stdout@0.2.12';
import { exitWithCode } from 'wasi:cli/exit@0.2.12';

/** What WASI lets a program write and flush in one call. */
const LARGEST_WRITE = 4096n;

export const run = {
  run() {
    const input = getStdin();
    const output = getStdout();
    try {
      for (;;) {
        output.blockingWriteAndFlush(input.blockingRead(LARGEST_WRITE));
      }
    } catch (error) {
      // The end of standard input arrives as an error too; so does the end of whoever reads the output.
      if (error.payload?.tag !== 'closed') {
        exitWithCode(1);
      }
    }
  },
};
