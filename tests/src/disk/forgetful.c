/* Keeps a copy of SQLite's files as they were when they were flushed last, so that a test can put
   them back to what the end of a machine would have left. A flush takes a little longer, so that a
   kill falls before one now and then. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int ends_with(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static void keep(int fd) {
    char link[64], path[PATH_MAX], draft[PATH_MAX + 16], kept[PATH_MAX + 16], buffer[65536];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return;
    path[length] = 0;
    if (!ends_with(path, ".db") && !ends_with(path, "-wal"))
        return;
    snprintf(draft, sizeof draft, "%s.draft", path);
    snprintf(kept, sizeof kept, "%s.flushed", path);
    int to = open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (to < 0)
        return;
    off_t at = 0;
    ssize_t got;
    while ((got = pread(fd, buffer, sizeof buffer, at)) > 0) {
        if (write(to, buffer, got) != got)
            break;
        at += got;
    }
    close(to);
    /* A kill in the middle leaves the copy of before. */
    rename(draft, kept);
}

int fdatasync(int fd) {
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    usleep(12000);
    int result = next(fd);
    if (result == 0)
        keep(fd);
    return result;
}

int fsync(int fd) {
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    usleep(12000);
    int result = next(fd);
    if (result == 0)
        keep(fd);
    return result;
}
