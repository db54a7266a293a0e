/* Preloaded into lineload by lab.py: counts what is done to the disk below one folder, over all
   threads (strace counts each thread for itself), and at one of them kills the process or fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long done;
static long at;
static int from_then_on, fails_with, log_to = -1;
static enum { NOTHING, BEFORE, AFTER, TORN, FAIL } how;
static char folder[4096];

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("KILLS_FOLDER");
    if (!text) return;
    snprintf(folder, sizeof folder, "%s", text);
    if ((text = getenv("KILLS_AT"))) at = atol(text);
    if ((text = getenv("KILLS_LOG"))) log_to = open(text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    text = getenv("KILLS_HOW");
    if (!text) return;
    if (!strcmp(text, "before")) how = BEFORE;
    else if (!strcmp(text, "after")) how = AFTER;
    else if (!strcmp(text, "torn")) how = TORN;
    else {
        how = FAIL;
        fails_with = atoi(text);
        from_then_on = strchr(text, '+') != NULL;
    }
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Whether a path is the folder or in it. lineload never reaches it by `..`. */
static int below(const char *path) {
    char whole[8192];
    if (!folder[0]) return 0;
    if (path[0] != '/') {
        char here[4096];
        if (!getcwd(here, sizeof here)) return 0;
        snprintf(whole, sizeof whole, "%s/%s", here, path);
        path = whole;
    }
    return !strncmp(path, folder, strlen(folder));
}

static int fd_below(int fd) {
    char link[64], path[4096];
    if (!folder[0] || fd == log_to) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    // Of a socket or the like it is no path.
    if (length <= 0 || path[0] != '/') return 0;
    path[length] = 0;
    return below(path);
}

/* One more; whether it is the one. */
static int counted(const char *what) {
    long number = ++done;
    if (log_to >= 0) dprintf(log_to, "%ld %s\n", number, what);
    if (!at || number < at || (number > at && !from_then_on)) return 0;
    if (how == BEFORE) die();
    return how != NOTHING;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define AROUND(type, what, inside, call)                  \
    int it = (inside) && counted(what);                   \
    if (it && how == FAIL) { errno = fails_with; return -1; } \
    type result = call;                                   \
    if (it && how == AFTER) die();                        \
    return result

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t where) {
    int it = fd_below(fd) && counted("pwrite");
    if (it && how == FAIL) { errno = fails_with; return -1; }
    if (it && how == TORN) { REAL(pwrite64)(fd, bytes, count / 2, where); die(); }
    ssize_t result = REAL(pwrite64)(fd, bytes, count, where);
    if (it && how == AFTER) die();
    return result;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    int it = fd_below(fd) && counted("write");
    if (it && how == FAIL) { errno = fails_with; return -1; }
    if (it && how == TORN) { REAL(write)(fd, bytes, count / 2); die(); }
    ssize_t result = REAL(write)(fd, bytes, count);
    if (it && how == AFTER) die();
    return result;
}

int fsync(int fd) { AROUND(int, "fsync", fd_below(fd), REAL(fsync)(fd)); }
int fdatasync(int fd) { AROUND(int, "fdatasync", fd_below(fd), REAL(fdatasync)(fd)); }
int ftruncate64(int fd, off64_t to) { AROUND(int, "ftruncate", fd_below(fd), REAL(ftruncate64)(fd, to)); }
int mkdir(const char *path, mode_t mode) { AROUND(int, "mkdir", below(path), REAL(mkdir)(path, mode)); }
int unlink(const char *path) { AROUND(int, "unlink", below(path), REAL(unlink)(path)); }

static int opened(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode) {
    AROUND(int, "open", (flags & O_CREAT) && below(path) && access(path, F_OK), real(path, flags, mode));
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return opened(REAL(open), path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return opened(REAL(open64), path, flags, mode);
}
