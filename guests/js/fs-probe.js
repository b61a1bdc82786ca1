// Tries file operations and reports how each went, one JSON line per operation.
//
// It starts in its initial directory. Arguments: one operation as `OP PATH [SECOND]`; or none, and operations come on
// standard input, one a line, with the fields separated by tabs. Operations: open, read, write, create, rename, link, list, stat, mkdir, unlink.
// Outcomes have the form that guests/rust/src/bin/fs-probe.rs describes. Exit code: 0, or 1 when a stream fails.

import { getArguments, initialCwd } from 'wasi:cli/environment@0.2.12';
import { exitWithCode } from 'wasi:cli/exit@0.2.12';
import { getStdin } from 'wasi:cli/stdin@0.2.12';
import { getStdout } from 'wasi:cli/stdout@0.2.12';
import { getDirectories } from 'wasi:filesystem/preopens@0.2.12';

/** What WASI lets a program write and flush in one call. */
const LARGEST_WRITE = 4096;
const BLOCK = 65536n;
const FOLLOW = { symlinkFollow: true };

/** WASI's error codes by the names that std has for them. */
const NAMES = {
  access: 'permission-denied',
  'bad-descriptor': 'bad-descriptor',
  busy: 'resource-busy',
  'cross-device': 'crosses-devices',
  exist: 'already-exists',
  'file-too-large': 'file-too-large',
  'insufficient-space': 'storage-full',
  invalid: 'invalid-input',
  'is-directory': 'is-a-directory',
  loop: 'filesystem-loop',
  'name-too-long': 'invalid-filename',
  'no-entry': 'not-found',
  'not-directory': 'not-a-directory',
  'not-empty': 'directory-not-empty',
  'not-permitted': 'not-permitted',
  'read-only': 'read-only-filesystem',
  'text-file-busy': 'executable-file-busy',
  'too-many-links': 'too-many-links',
  unsupported: 'unsupported',
};

const OPERATIONS = {
  open: (path) => void openAt(path, {}, { read: true }),
  create: (path) => void openAt(path, { create: true, exclusive: true }, { write: true }),
  read: (path) => new TextDecoder().decode(readAll(openAt(path, {}, { read: true }))),
  write(path, text) {
    const bytes = new TextEncoder().encode(text);
    const file = openAt(path, { create: true, truncate: true }, { write: true });
    let done = 0;
    while (done < bytes.length) {
      done += Number(file.write(bytes.subarray(done), BigInt(done)));
    }
    return bytes.length;
  },
  rename(path, second) {
    const [from, to] = [granted(path), granted(second)];
    from.directory.renameAt(from.path, to.directory, to.path);
  },
  link(path, second) {
    const [from, to] = [granted(path), granted(second)];
    from.directory.linkAt({}, from.path, to.directory, to.path);
  },
  list(path) {
    const entries = openAt(path, { directory: true }, { read: true }).readDirectory();
    const names = [];
    for (let entry; (entry = entries.readDirectoryEntry()); ) {
      names.push(entry.name);
    }
    return names.sort();
  },
  stat(path) {
    const at = granted(path);
    const { type, size } = at.directory.statAt(FOLLOW, at.path);
    // The size of a directory is its file system's affair and would differ from run to run.
    if (type === 'directory') {
      return { kind: 'directory', size: 0 };
    }
    return { kind: type === 'regular-file' ? 'file' : 'other', size: Number(size) };
  },
  mkdir(path) {
    const at = granted(path);
    at.directory.createDirectoryAt(at.path);
  },
  unlink(path) {
    const at = granted(path);
    at.directory.unlinkFileAt(at.path);
  },
};

/** The granted directory a path leads into, the deepest if several do, and the path from there. */
function granted(path) {
  const start = initialCwd() ?? '/';
  const absolute = path.startsWith('/') ? path : `${start.replace(/\/$/, '')}/${path}`;
  let found;
  for (const [directory, name] of getDirectories()) {
    const prefix = name.endsWith('/') ? name : `${name}/`;
    const inside = absolute === name || absolute.startsWith(prefix);
    if (inside && (!found || prefix.length > found.prefix.length)) {
      found = { prefix, directory, path: absolute.slice(prefix.length) || '.' };
    }
  }
  if (!found) {
    throw { payload: 'no-entry' };
  }
  return found;
}

function openAt(path, how, flags) {
  const at = granted(path);
  return at.directory.openAt(FOLLOW, at.path, how, flags);
}

function readAll(file) {
  const bytes = [];
  for (let end = false; !end; ) {
    const [block, last] = file.read(BLOCK, BigInt(bytes.length));
    for (const byte of block) {
      bytes.push(byte);
    }
    end = last;
  }
  return new Uint8Array(bytes);
}

function probe(output, [op, path = '', second = '']) {
  let outcome;
  try {
    outcome = Object.hasOwn(OPERATIONS, op)
      ? { op, path, ok: true, value: OPERATIONS[op](path, second) ?? null }
      : { op, path, ok: false, error: 'unknown-operation', detail: '' };
  } catch (error) {
    if (typeof error.payload !== 'string') {
      throw error;
    }
    outcome = { op, path, ok: false, error: NAMES[error.payload] ?? 'uncategorized', detail: error.payload };
  }
  const line = new TextEncoder().encode(`${JSON.stringify(outcome)}\n`);
  for (let start = 0; start < line.length; start += LARGEST_WRITE) {
    output.blockingWriteAndFlush(line.subarray(start, start + LARGEST_WRITE));
  }
}

/** Calls back with each line of standard input as it arrives. */
function eachLine(input, callback) {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const lines = (rest + decoder.decode(input.blockingRead(BLOCK), { stream: true })).split('\n');
      rest = lines.pop();
      lines.forEach(callback);
    }
  } catch (error) {
    if (error.payload?.tag !== 'closed') {
      throw error;
    }
  }
  callback(rest + decoder.decode());
}

export const run = {
  run() {
    const output = getStdout();
    try {
      const fields = getArguments().slice(1);
      if (fields.length > 0) {
        probe(output, fields);
        return;
      }
      eachLine(getStdin(), (line) => {
        const text = line.replace(/\r$/, '');
        if (text !== '') {
          probe(output, text.split('\t'));
        }
      });
    } catch (error) {
      exitWithCode(1);
    }
  },
};
