"""Copies standard input to standard output as it arrives, until end of file.

Arguments: none. Exit code: 0, or 1 when a stream fails.
"""

import os
import sys

from wit_world import exports


class Run(exports.Run):
    def run(self) -> None:
        try:
            # Not sys.stdin: its buffer would wait for more than has arrived.
            while block := os.read(0, 16 * 1024):
                while block:
                    block = block[os.write(1, block) :]
        except OSError:
            sys.exit(1)
