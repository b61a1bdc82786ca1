// Fs-probe tries file operations and reports how each went, one JSON line per operation.
//
// Arguments: one operation as `OP PATH [SECOND]`; or none, and operations come on standard input, one a line, with the
// fields separated by tabs. Operations: open, read, write, create, rename, link, list, stat, mkdir, unlink.
// Outcomes have the form that guests/rust/src/bin/fs-probe.rs describes. Exit code: 0, or 1 when a stream fails.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
)

// Outcome is one line of output; the order of its fields is the order of the keys.
type outcome struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	OK    bool   `json:"ok"`
	Value any    `json:"value"`
}

type failure struct {
	Op     string `json:"op"`
	Path   string `json:"path"`
	OK     bool   `json:"ok"`
	Error  string `json:"error"`
	Detail string `json:"detail"`
}

type described struct {
	Kind string `json:"kind"`
	Size int64  `json:"size"`
}

var errUnknown = errors.New("unknown operation")

func main() {
	var err error
	if len(os.Args) > 1 {
		err = probe(os.Args[1:])
	} else {
		err = probeLines(os.Stdin)
	}
	if err != nil {
		os.Exit(1)
	}
}

func probeLines(input io.Reader) error {
	reader := bufio.NewReader(input)
	for {
		line, err := reader.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if line != "" {
			if err := probe(strings.Split(line, "\t")); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Probe tries one operation; what it returns is the failure of standard output, not of the operation.
func probe(fields []string) error {
	fields = append(fields, "", "")
	operation, path, second := fields[0], fields[1], fields[2]
	value, err := attempt(operation, path, second)
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	switch {
	case err == nil:
		err = encoder.Encode(outcome{operation, path, true, value})
	case errors.Is(err, errUnknown):
		err = encoder.Encode(failure{operation, path, false, "unknown-operation", ""})
	default:
		err = encoder.Encode(failure{operation, path, false, name(err), err.Error()})
	}
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(line.Bytes())
	return err
}

func attempt(operation, path, second string) (any, error) {
	switch operation {
	case "open":
		return nil, opened(path, os.O_RDONLY)
	case "create":
		return nil, opened(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	case "read":
		content, err := os.ReadFile(path)
		return string(content), err
	case "write":
		return len(second), os.WriteFile(path, []byte(second), 0o666)
	case "rename":
		return nil, os.Rename(path, second)
	case "link":
		return nil, os.Link(path, second)
	case "list":
		return list(path)
	case "stat":
		return stat(path)
	case "mkdir":
		return nil, os.Mkdir(path, 0o777)
	case "unlink":
		// Not os.Remove, which removes directories too.
		return nil, syscall.Unlink(path)
	}
	return nil, errUnknown
}

func opened(path string, flags int) error {
	file, err := os.OpenFile(path, flags, 0o666)
	if err != nil {
		return err
	}
	return file.Close()
}

func list(path string) (any, error) {
	entries, err := os.ReadDir(path)
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, err
}

func stat(path string) (any, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		// The size of a directory is its file system's affair and would differ from run to run.
		return described{"directory", 0}, nil
	case info.Mode().IsRegular():
		return described{"file", info.Size()}, nil
	}
	return described{"other", info.Size()}, nil
}

var names = map[syscall.Errno]string{
	syscall.EACCES:       "permission-denied",
	syscall.EBADF:        "bad-descriptor",
	syscall.EBUSY:        "resource-busy",
	syscall.EEXIST:       "already-exists",
	syscall.EFBIG:        "file-too-large",
	syscall.EINVAL:       "invalid-input",
	syscall.EISDIR:       "is-a-directory",
	syscall.ELOOP:        "filesystem-loop",
	syscall.EMLINK:       "too-many-links",
	syscall.ENAMETOOLONG: "invalid-filename",
	syscall.ENOENT:       "not-found",
	syscall.ENOSPC:       "storage-full",
	syscall.ENOSYS:       "unsupported",
	syscall.ENOTDIR:      "not-a-directory",
	syscall.ENOTEMPTY:    "directory-not-empty",
	syscall.ENOTSUP:      "unsupported",
	syscall.EPERM:        "not-permitted",
	syscall.EROFS:        "read-only-filesystem",
	syscall.EXDEV:        "crosses-devices",
}

func name(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		if known, ok := names[number]; ok {
			return known
		}
		// WASI's ENOTCAPABLE, which the syscall package knows on that system only.
		if number == 76 && strings.Contains(number.Error(), "apabilit") {
			return "not-capable"
		}
	}
	return "uncategorized"
}
