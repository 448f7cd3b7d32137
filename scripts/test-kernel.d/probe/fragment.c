// Leaves physical memory in single pages: allocates BYTES, then gives back every second page.
//   fragment BYTES    prints "ready" and holds the other half until its standard input ends
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void must(long result, const char *what) {
    if (result < 0) {
        perror(what);
        exit(1);
    }
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "fragment BYTES\n");
        return 2;
    }
    long bytes = atol(arguments[1]), page = sysconf(_SC_PAGESIZE);
    int file = memfd_create("fragment", MFD_CLOEXEC);
    must(file, "memfd_create");
    must(ftruncate(file, bytes), "ftruncate");
    must(fallocate(file, 0, 0, bytes), "fallocate");
    for (long offset = 0; offset < bytes; offset += 2 * page)
        must(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, page), "punching a hole");
    puts("ready");
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
}
