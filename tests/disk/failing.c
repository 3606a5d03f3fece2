/* A disk that fails when it is told to: preloaded into the daemon, it makes writes to the store and its log fail.
 *
 * OFFICEHOURS_TEST_STORE names the database, OFFICEHOURS_TEST_DISK a file of one byte, looked at before every call:
 * 'f' the disk is full (ENOSPC), 's' syncing fails (EIO), 'e' writing fails (EIO), anything else: all is well.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static const volatile char *told;
static const char *store;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("OFFICEHOURS_TEST_DISK");
    store = getenv("OFFICEHOURS_TEST_STORE");
    int fd = path ? open(path, O_RDONLY) : -1;
    if (fd < 0 || !store) return;
    void *map = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED) told = map;
}

static int is_store(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strncmp(path, store, strlen(store)) == 0;
}

static int fails(int fd, int syncing) {
    if (!told) return 0;
    char now = *told;
    int error = now == 'f' && !syncing ? ENOSPC : now == 'e' && !syncing ? EIO : now == 's' && syncing ? EIO : 0;
    if (!error || !is_store(fd)) return 0;
    errno = error;
    return 1;
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t count) {
    REAL(write);
    return fails(fd, 0) ? -1 : real(fd, data, count);
}

ssize_t pwrite(int fd, const void *data, size_t count, off_t at) {
    REAL(pwrite);
    return fails(fd, 0) ? -1 : real(fd, data, count, at);
}

ssize_t pwrite64(int fd, const void *data, size_t count, off64_t at) {
    REAL(pwrite64);
    return fails(fd, 0) ? -1 : real(fd, data, count, at);
}

int ftruncate64(int fd, off64_t length) {
    REAL(ftruncate64);
    return fails(fd, 0) ? -1 : real(fd, length);
}

int fallocate64(int fd, int mode, off64_t from, off64_t length) {
    REAL(fallocate64);
    return fails(fd, 0) ? -1 : real(fd, mode, from, length);
}

int fsync(int fd) {
    REAL(fsync);
    return fails(fd, 1) ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(fdatasync);
    return fails(fd, 1) ? -1 : real(fd);
}
