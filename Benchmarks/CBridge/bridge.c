// The baseline of TAP to TAP: two blocking threads, each reading frames from one TAP and writing them to the
// other, with the flags and the 12-byte header that emu uses. Nothing in between: no ring, no guest, no copy but
// the kernel's. It takes emu's own arguments, so that a script can put one in the other's place.
//
//   bridge run --guest tap:NAME[@NETNS] --wire tap:NAME[@NETNS] [ignored options] [--lose N] [--repeat N] [--alter N]
//
// SIGTERM or SIGINT ends it with one JSON object on stdout. --lose, --repeat and --alter make every Nth frame
// vanish, come twice or change silently: they show that a test which uses the bridge can fail.
#define _GNU_SOURCE
#include "../../Sources/CLinux/include/clinux_tap.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { header_size = 12, buffer_size = 65536 + header_size };

struct direction {
    int from, to;
    // Written by this direction's thread, read by the main thread once it has ended the others' work.
    volatile unsigned long long frames, bytes, drops;
    unsigned long lose, repeat, alter;
};

static int tap_named(const char *port)
{
    static char name[64], path[128];
    const char *at;
    if (strncmp(port, "tap:", 4) != 0) {
        fprintf(stderr, "bridge: '%s': only tap:NAME or tap:NAME@NETNS\n", port);
        exit(2);
    }
    port += 4;
    at = strchr(port, '@');
    snprintf(name, sizeof name, "%.*s", at ? (int)(at - port) : (int)strlen(port), port);
    if (at)
        snprintf(path, sizeof path, "/run/netns/%s", at + 1);
    struct clinux_tap_request request = {.namespace_path = at ? path : NULL, .name = name, .header_size = header_size};
    int fd = clinux_tap_open(&request);
    if (fd < 0) {
        fprintf(stderr, "bridge: cannot attach to %s: %s (step %d)\n", port, strerror(-fd), (int)request.step);
        exit(2);
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

static void *forward(void *argument)
{
    struct direction *way = argument;
    unsigned char *buffer = malloc(buffer_size);
    unsigned long long count = 0;
    for (;;) {
        ssize_t size = read(way->from, buffer, buffer_size);
        if (size < 0) {
            // The interface is down for now.
            if (errno == EINTR || errno == EIO || errno == EBADFD) {
                poll(NULL, 0, 1);
                continue;
            }
            perror("bridge: read");
            exit(1);
        }
        count++;
        if (way->lose && count % way->lose == 0)
            continue;
        if (way->alter && count % way->alter == 0)
            buffer[size - 1] ^= 1;
        int copies = way->repeat && count % way->repeat == 0 ? 2 : 1;
        while (copies-- > 0) {
            if (write(way->to, buffer, size) == size) {
                way->frames++;
                way->bytes += size - header_size;
            } else {
                way->drops++;
            }
        }
    }
    return NULL;
}

int main(int count, char **arguments)
{
    const char *guest = NULL, *wire = NULL;
    struct direction out = {0}, in = {0};
    for (int i = 1; i + 1 < count; i++) {
        const char *value = arguments[i + 1];
        if (!strcmp(arguments[i], "--guest"))
            guest = value;
        else if (!strcmp(arguments[i], "--wire"))
            wire = value;
        else if (!strcmp(arguments[i], "--lose"))
            out.lose = strtoul(value, NULL, 10);
        else if (!strcmp(arguments[i], "--repeat"))
            out.repeat = strtoul(value, NULL, 10);
        else if (!strcmp(arguments[i], "--alter"))
            out.alter = strtoul(value, NULL, 10);
    }
    if (!guest || !wire) {
        fprintf(stderr, "usage: bridge run --guest tap:NAME[@NETNS] --wire tap:NAME[@NETNS]\n");
        return 2;
    }
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);

    out.from = in.to = tap_named(guest);
    out.to = in.from = tap_named(wire);
    pthread_t threads[2];
    if (pthread_create(&threads[0], NULL, forward, &out) || pthread_create(&threads[1], NULL, forward, &in)) {
        fprintf(stderr, "bridge: cannot start its threads\n");
        return 2;
    }
    int signal_number;
    sigwait(&ends, &signal_number);
    printf("{\"bridge\": true, \"packets\": {\"sent\": %llu, \"received\": %llu, \"lost\": 0, \"duplicated\": 0, "
           "\"corrupted\": 0, \"abandoned\": 0, \"deviceDrops\": %llu}}\n",
           out.frames, in.frames, out.drops + in.drops);
    return 0;
}
