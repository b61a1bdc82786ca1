/* Copies standard input to standard output as it arrives, until end of file.
 * Arguments: none. Exit code: 0, or 1 when a stream fails (a closed pipe ends it quietly). */

#include <errno.h>
#include <unistd.h>

int main(void) {
    static char buffer[16 * 1024];
    for (;;) {
        ssize_t count = read(STDIN_FILENO, buffer, sizeof buffer);
        if (count == 0)
            return 0;
        if (count < 0) {
            if (errno == EINTR)
                continue;
            return 1;
        }
        /* Not stdio: its buffer would hold back what has arrived. */
        for (ssize_t done = 0; done < count;) {
            ssize_t written = write(STDOUT_FILENO, buffer + done, (size_t)(count - done));
            if (written < 0 && errno != EINTR)
                return 1;
            if (written > 0)
                done += written;
        }
    }
}
