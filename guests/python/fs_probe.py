"""Tries file operations and reports how each went, one JSON line per operation, flushed.

It starts in its initial directory. Arguments: one operation as `OP PATH [SECOND]`; or none, and operations come on
standard input, one a line, with the fields separated by tabs. Operations: open, read, write, create, rename, link, list, stat, mkdir, unlink.
Outcomes have the form that guests/rust/src/bin/fs-probe.rs describes. Exit code: 0, or 1 when a stream fails.
"""

import errno
import json
import os
import stat
import sys
from typing import Any

from wit_world import exports
from wit_world.imports import environment

NAMES = {
    errno.EACCES: "permission-denied",
    errno.EBADF: "bad-descriptor",
    errno.EBUSY: "resource-busy",
    errno.EEXIST: "already-exists",
    errno.EFBIG: "file-too-large",
    errno.EINVAL: "invalid-input",
    errno.EISDIR: "is-a-directory",
    errno.ELOOP: "filesystem-loop",
    errno.EMLINK: "too-many-links",
    errno.ENAMETOOLONG: "invalid-filename",
    errno.ENOENT: "not-found",
    errno.ENOSPC: "storage-full",
    errno.ENOSYS: "unsupported",
    errno.ENOTDIR: "not-a-directory",
    errno.ENOTEMPTY: "directory-not-empty",
    errno.ENOTSUP: "unsupported",
    errno.EPERM: "not-permitted",
    errno.EROFS: "read-only-filesystem",
    errno.ETXTBSY: "executable-file-busy",
    errno.EXDEV: "crosses-devices",
    getattr(errno, "ENOTCAPABLE", 76): "not-capable",
}


def opened(path: str, flags: int) -> None:
    os.close(os.open(path, flags, 0o666))


def read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        return file.read()


def write(path: str, text: str) -> int:
    with open(path, "wb") as file:
        return file.write(text.encode())


def status(path: str) -> dict[str, Any]:
    found = os.stat(path)
    # The size of a directory is its file system's affair and would differ from run to run.
    if stat.S_ISDIR(found.st_mode):
        return {"kind": "directory", "size": 0}
    return {"kind": "file" if stat.S_ISREG(found.st_mode) else "other", "size": found.st_size}


OPERATIONS = {
    "open": lambda path, _: opened(path, os.O_RDONLY),
    "create": lambda path, _: opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL),
    "read": lambda path, _: read(path),
    "write": write,
    "rename": os.rename,
    "link": os.link,
    "list": lambda path, _: sorted(os.listdir(path)),
    "stat": lambda path, _: status(path),
    "mkdir": lambda path, _: os.mkdir(path),
    "unlink": lambda path, _: os.unlink(path),
}


def probe(fields: list[str]) -> None:
    operation, path, second = (fields + ["", ""])[:3]
    outcome: dict[str, Any] = {"op": operation, "path": path, "ok": False}
    if operation not in OPERATIONS:
        outcome |= {"error": "unknown-operation", "detail": ""}
    else:
        try:
            outcome |= {"value": OPERATIONS[operation](path, second), "ok": True}
        except OSError as error:
            outcome |= {"error": NAMES.get(error.errno, "uncategorized"), "detail": str(error)}
    print(json.dumps(outcome, ensure_ascii=False, separators=(",", ":")), flush=True)


class Run(exports.Run):
    def run(self) -> None:
        try:
            # The C library below the interpreter starts in `/`, whatever the host wants.
            directory = environment.initial_cwd()
            if directory is not None:
                os.chdir(directory)
            # Not sys.argv: the interpreter is a snapshot, and that list is the one it was made with.
            fields = environment.get_arguments()[1:]
            if fields:
                probe(fields)
                return
            for line in sys.stdin:
                line = line.rstrip("\r\n")
                if line:
                    probe(line.split("\t"))
        except BrokenPipeError:
            sys.exit(1)
