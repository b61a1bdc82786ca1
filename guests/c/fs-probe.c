/* Tries file operations and reports how each went, one JSON line per operation, flushed.
 *
 * Arguments: one operation as `OP PATH [SECOND]`; or none, and operations come on standard input, one a line, with the
 * fields separated by tabs. Operations: open, read, write, create, rename, link, list, stat, mkdir, unlink.
 * Outcomes have the form that guests/rust/src/bin/fs-probe.rs describes. Exit code: 0, or 1 when a stream fails. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A string that grows; the value of an outcome is gathered in one, so that a late failure leaves no half a line. */
struct text {
    char *bytes;
    size_t length, capacity;
};

static void append(struct text *text, const char *bytes, size_t length) {
    if (text->length + length > text->capacity) {
        size_t capacity = (text->length + length) * 2;
        char *larger = realloc(text->bytes, capacity);
        if (!larger)
            abort();
        text->bytes = larger;
        text->capacity = capacity;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

static void append_quoted(struct text *text, const char *bytes, size_t length) {
    append(text, "\"", 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        char escape[8];
        switch (byte) {
        case '"': append(text, "\\\"", 2); break;
        case '\\': append(text, "\\\\", 2); break;
        case '\n': append(text, "\\n", 2); break;
        case '\r': append(text, "\\r", 2); break;
        case '\t': append(text, "\\t", 2); break;
        default:
            if (byte < 0x20)
                append(text, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", byte));
            else
                append(text, bytes + i, 1);
        }
    }
    append(text, "\"", 1);
}

static const char *error_name(int error) {
    switch (error) {
    case EACCES: return "permission-denied";
    case EBADF: return "bad-descriptor";
    case EBUSY: return "resource-busy";
    case EEXIST: return "already-exists";
    case EFBIG: return "file-too-large";
    case EINVAL: return "invalid-input";
    case EISDIR: return "is-a-directory";
    case ELOOP: return "filesystem-loop";
    case EMLINK: return "too-many-links";
    case ENAMETOOLONG: return "invalid-filename";
    case ENOENT: return "not-found";
    case ENOSPC: return "storage-full";
    case ENOTDIR: return "not-a-directory";
    case ENOTEMPTY: return "directory-not-empty";
    case ENOTSUP:
    case ENOSYS: return "unsupported";
    case EPERM: return "not-permitted";
    case EROFS: return "read-only-filesystem";
    case ETXTBSY: return "executable-file-busy";
    case EXDEV: return "crosses-devices";
#ifdef ENOTCAPABLE
    case ENOTCAPABLE: return "not-capable";
#endif
    default: return "uncategorized";
    }
}

/* Every operation returns 0 or an error number, and appends its value if it has one. */

static int probe_open(const char *path, int flags) {
    int file = open(path, flags, 0666);
    if (file < 0)
        return errno;
    close(file);
    return 0;
}

static int probe_read(struct text *value, const char *path) {
    int file = open(path, O_RDONLY);
    if (file < 0)
        return errno;
    struct text content = {0};
    char buffer[4096];
    ssize_t count;
    while ((count = read(file, buffer, sizeof buffer)) > 0)
        append(&content, buffer, (size_t)count);
    int error = count < 0 ? errno : 0;
    close(file);
    if (!error)
        append_quoted(value, content.bytes, content.length);
    free(content.bytes);
    return error;
}

static int probe_write(struct text *value, const char *path, const char *bytes) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0)
        return errno;
    size_t length = strlen(bytes), done = 0;
    int error = 0;
    while (done < length && !error) {
        ssize_t count = write(file, bytes + done, length - done);
        if (count < 0)
            error = errno;
        else
            done += (size_t)count;
    }
    if (close(file) < 0 && !error)
        error = errno;
    char number[24];
    append(value, number, (size_t)snprintf(number, sizeof number, "%zu", length));
    return error;
}

static int compare(const void *one, const void *other) {
    return strcmp(*(char *const *)one, *(char *const *)other);
}

static int probe_list(struct text *value, const char *path) {
    DIR *directory = opendir(path);
    if (!directory)
        return errno;
    char **names = NULL;
    size_t count = 0;
    errno = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        char **more = realloc(names, (count + 1) * sizeof *names);
        char *name = strdup(entry->d_name);
        if (!more || !name)
            abort();
        names = more;
        names[count++] = name;
        errno = 0;
    }
    int error = errno;
    closedir(directory);
    if (count > 0)
        qsort(names, count, sizeof *names, compare);
    append(value, "[", 1);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            append(value, ",", 1);
        append_quoted(value, names[i], strlen(names[i]));
        free(names[i]);
    }
    append(value, "]", 1);
    free(names);
    return error;
}

static int probe_stat(struct text *value, const char *path) {
    struct stat found;
    if (stat(path, &found) < 0)
        return errno;
    const char *kind = S_ISDIR(found.st_mode) ? "directory" : S_ISREG(found.st_mode) ? "file" : "other";
    /* The size of a directory is its file system's affair and would differ from run to run. */
    long long size = S_ISDIR(found.st_mode) ? 0 : (long long)found.st_size;
    char json[80];
    append(value, json, (size_t)snprintf(json, sizeof json, "{\"kind\":\"%s\",\"size\":%lld}", kind, size));
    return 0;
}

/* Returns -1 for an operation there is not. */
static int attempt(struct text *value, const char *operation, const char *path, const char *second) {
    if (!strcmp(operation, "open"))
        return probe_open(path, O_RDONLY);
    if (!strcmp(operation, "create"))
        return probe_open(path, O_WRONLY | O_CREAT | O_EXCL);
    if (!strcmp(operation, "read"))
        return probe_read(value, path);
    if (!strcmp(operation, "write"))
        return probe_write(value, path, second);
    if (!strcmp(operation, "list"))
        return probe_list(value, path);
    if (!strcmp(operation, "stat"))
        return probe_stat(value, path);
    if (!strcmp(operation, "rename"))
        return rename(path, second) < 0 ? errno : 0;
    if (!strcmp(operation, "link"))
        return link(path, second) < 0 ? errno : 0;
    if (!strcmp(operation, "mkdir"))
        return mkdir(path, 0777) < 0 ? errno : 0;
    if (!strcmp(operation, "unlink"))
        return unlink(path) < 0 ? errno : 0;
    return -1;
}

static int probe(const char *operation, const char *path, const char *second) {
    struct text value = {0}, line = {0};
    int error = attempt(&value, operation, path, second);
    append(&line, "{\"op\":", 6);
    append_quoted(&line, operation, strlen(operation));
    append(&line, ",\"path\":", 8);
    append_quoted(&line, path, strlen(path));
    if (error == 0) {
        append(&line, ",\"ok\":true,\"value\":", 19);
        append(&line, value.length ? value.bytes : "null", value.length ? value.length : 4);
    } else {
        const char *name = error < 0 ? "unknown-operation" : error_name(error);
        const char *detail = error < 0 ? "" : strerror(error);
        append(&line, ",\"ok\":false,\"error\":", 20);
        append_quoted(&line, name, strlen(name));
        append(&line, ",\"detail\":", 10);
        append_quoted(&line, detail, strlen(detail));
    }
    append(&line, "}\n", 2);
    size_t written = fwrite(line.bytes, 1, line.length, stdout);
    int failed = written < line.length || fflush(stdout) != 0;
    free(value.bytes);
    free(line.bytes);
    return failed;
}

/* Cuts a line into its fields in place. */
static int probe_line(char *line) {
    char *fields[3] = {line, "", ""};
    for (int i = 0; i < 2; i++) {
        char *tab = strchr(fields[i], '\t');
        if (!tab)
            break;
        *tab = '\0';
        fields[i + 1] = tab + 1;
    }
    char *rest = strchr(fields[2], '\t');
    if (rest)
        *rest = '\0';
    return probe(fields[0], fields[1], fields[2]);
}

int main(int argc, char **argv) {
    if (argc > 1)
        return probe(argv[1], argc > 2 ? argv[2] : "", argc > 3 ? argv[3] : "");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    while ((length = getline(&line, &capacity, stdin)) >= 0) {
        while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
            line[--length] = '\0';
        if (length > 0 && probe_line(line))
            return 1;
    }
    free(line);
    return ferror(stdin) ? 1 : 0;
}
