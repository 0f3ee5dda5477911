/* A disk that fails, for LD_PRELOAD. Calls on files whose path contains FAULT_PATH fail or wait as
 * FAULT says while the file FAULT_WHILE exists:
 *
 *   write-eio   the FAULT_NTH write from then on fails with EIO (with FAULT_STICKY all later ones too)
 *   write-full  the same with ENOSPC
 *   sync-eio    the same for a sync, with EIO
 *   sync-stall  every sync waits until that file is gone
 *   sync-slow   every sync takes FAULT_MS milliseconds, less where that file goes meanwhile
 *
 * Each fault is written with its file as a line to FAULT_TOLD, so that a test knows it has happened.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

static int armed(void) {
    struct stat about;
    return stat(setting("FAULT_WHILE"), &about) == 0;
}

static __thread char path[4096];

static int concerns(int fd) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    /* sled's snapshots only shorten a start: one that fails is no failure of the store. */
    return strstr(path, setting("FAULT_PATH")) != NULL && strstr(path, "/snap.") == NULL;
}

static void tell(const char *what) {
    int fd = open(setting("FAULT_TOLD"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0) return;
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    real(fd, what, strlen(what));
    real(fd, " ", 1);
    real(fd, path, strlen(path));
    real(fd, "\n", 1);
    close(fd);
}

/* Whether this call fails; errno says how. */
static int fails(int fd, const char *kind) {
    const char *fault = setting("FAULT");
    if (strncmp(fault, kind, strlen(kind)) != 0 || !armed() || !concerns(fd)) return 0;
    if (strcmp(fault, "sync-stall") == 0) {
        tell(fault);
        while (armed()) usleep(2000);
        return 0;
    }
    if (strcmp(fault, "sync-slow") == 0) {
        tell(fault);
        for (long left = atol(setting("FAULT_MS")); left > 0 && armed(); left -= 2) usleep(2000);
        return 0;
    }
    long nth = atol(setting("FAULT_NTH")), now = atomic_fetch_add(&calls, 1) + 1;
    if (now != nth && !(now > nth && *setting("FAULT_STICKY"))) return 0;
    tell(fault);
    errno = strcmp(fault, "write-full") == 0 ? ENOSPC : EIO;
    return 1;
}

#define REAL(result, name, ...)                                            \
    static result (*real)(__VA_ARGS__);                                    \
    if (!real) real = (result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *buffer, size_t length) {
    REAL(ssize_t, "write", int, const void *, size_t);
    return fails(fd, "write-") ? -1 : real(fd, buffer, length);
}

ssize_t pwrite(int fd, const void *buffer, size_t length, off_t at) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    return fails(fd, "write-") ? -1 : real(fd, buffer, length, at);
}

ssize_t pwrite64(int fd, const void *buffer, size_t length, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    return fails(fd, "write-") ? -1 : real(fd, buffer, length, at);
}

int fsync(int fd) {
    REAL(int, "fsync", int);
    return fails(fd, "sync-") ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    return fails(fd, "sync-") ? -1 : real(fd);
}
