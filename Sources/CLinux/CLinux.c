// What cannot be a static inline of a header: code that runs before main.
#include "clinux_arguments.h"

static int argument_count;
static char **argument_values;

// glibc passes main's arguments to every constructor (elf/dl-init.c, csu/libc-start.c).
__attribute__((constructor)) static void remember_arguments(int count, char **values, char **environment) {
    (void)environment;
    argument_count = count;
    argument_values = values;
}

int clinux_argument_count(void) { return argument_count; }

const char *clinux_argument(int index) { return argument_values[index]; }
