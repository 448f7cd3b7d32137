// The baseline of loopback end to end: the work of `emu run --guest generator --wire loopback` in C, every field in
// a local while a batch runs. A guest thread writes numbered, checksummed frames into a transmit ring and checks what
// comes out of a receive ring; a device thread copies one into the other through a table of maps. Each side sleeps in
// a read of its eventfd when it finds nothing, and is woken only where EVENT_IDX asks for it.
#define _GNU_SOURCE
#include "rings.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

static void prepare(struct run *run)
{
    for (size_t i = 0; i < SIZE; i++)
        run->receive.slots[i].next = run->transmit.slots[i].next = (i + 1) & MASK;
    run->receive.free = run->transmit.free = SIZE;
    run->receive.ring = run->memory;
    run->transmit.ring = run->memory + RING_SPACE;
    for (size_t i = 0; i < BUFFERS; i++)
        run->pool[i] = BUFFERS - 1 - (uint32_t)i;
    run->pool_count = BUFFERS;
    run->run_number = (uint32_t)now();
}

static void pause_for(uint64_t ns)
{
    struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    while (nanosleep(&t, &t) && errno == EINTR) {}
}

/// Sets a phase and sees to it that neither side sleeps through it.
static void enter(struct run *run, enum phase phase)
{
    run->phase = phase;
    wake(run->kick);
    wake(run->call);
}

int loopback_run(const struct loopback_plan *plan, struct loopback_result *result)
{
    int error = 0, shared = memfd_create("loopback", MFD_CLOEXEC);
    pthread_t guest_thread, device_thread;
    struct run *run = aligned_alloc(128, (sizeof *run + 127) / 128 * 128);
    if (run)
        memset(run, 0, sizeof *run);
    if (!run || shared < 0 || ftruncate(shared, (off_t)MEMORY_BYTES))
        return errno;
    run->plan = *plan;
    run->memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
    run->kick = eventfd(0, EFD_CLOEXEC);
    run->call = eventfd(0, EFD_CLOEXEC);
    run->returned = calloc(LEDGER / 64, sizeof(uint64_t));
    if (run->memory == MAP_FAILED || run->kick < 0 || run->call < 0 || !run->returned)
        return errno;
    prepare(run);
    if ((error = pthread_create(&device_thread, NULL, loopback_device, run)))
        return error;
    if ((error = pthread_create(&guest_thread, NULL, loopback_guest, run)))
        exit(2);
    pause_for(plan->nanoseconds);
    enter(run, DRAINING);
    // What has not come back within a second is lost.
    for (int tries = 0; tries < 1000 && !run->guest_done; tries++)
        pause_for(1000000);
    enter(run, ENDING);
    pthread_join(guest_thread, NULL);
    pthread_join(device_thread, NULL);
    *result = run->result;
    if (run->broken)
        error = EPROTO;
    free(run->returned);
    munmap(run->memory, MEMORY_BYTES);
    close(run->kick), close(run->call), close(shared);
    free(run);
    return error;
}
