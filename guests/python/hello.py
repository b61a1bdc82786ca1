"""Prints one line at once: `hello`. What is measured with it is the start of an interpreter.

Arguments: none. Exit code: 0.
"""

from wit_world import exports


class Run(exports.Run):
    def run(self) -> None:
        print("hello", flush=True)
