// A client of /dev/vhost-vdpa-N that does what the words of its command line say, one after the other, as tests of
// `emu exec` need it: without a runtime of its own, with each call made once and as it is written here.
//
// A word that makes a call answers with a line: the word, and a number or the name of the errno. A word that fails is no
// reason to stop; one that is not known, or lacks its argument, is: exit status 64. The words work on what is in hand: a
// descriptor and memory.
#include "client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct client client = {.descriptor = -1};

void answer(const char *word, int64_t value) {
    if (value < 0) {
        const char *name = strerrorname_np((int)-value);
        if (name) printf("%s %s\n", word, name);
        else printf("%s errno %d\n", word, (int)-value);
    } else {
        printf("%s %" PRId64 "\n", word, value);
    }
    fflush(stdout);
}

void give_up(const char *word, const char *why) {
    fprintf(stderr, "foreign-client: %s: %s\n", word, why);
    exit(64);
}

const char *next_argument(const char *word) {
    const char *argument = *client.words;
    if (!argument) give_up(word, "its argument is missing");
    client.words++;
    return argument;
}

int64_t next_number(const char *word) {
    const char *argument = next_argument(word);
    char *end;
    const long long number = strtoll(argument, &end, 0);
    if (*argument == 0 || *end != 0) give_up(argument, "is no number");
    return number;
}

void do_words(void) {
    while (*client.words) {
        const char *word = *client.words++;
        if (!do_device_word(word) && !do_process_word(word)) give_up(word, "no such word");
    }
}

int main(int count, char **words) {
    client.program = words[0];
    client.words = words + (count > 0);
    do_words();
    return 0;
}
