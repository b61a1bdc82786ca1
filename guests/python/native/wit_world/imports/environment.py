"""wasi:cli/environment, by what Python has of it."""

import sys


def get_arguments() -> list[str]:
    return list(sys.argv)
