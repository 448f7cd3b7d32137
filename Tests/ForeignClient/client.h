// What the parts of foreign-client share.
#pragma once
#define _GNU_SOURCE 1
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client {
    // How it was called, for a word that calls it again.
    const char *program;
    // The words that are left; the last one is followed by none.
    char **words;
    // The descriptor in hand, of a device as a rule; -1 for none.
    int descriptor;
    // The memory in hand, and the number of its file; 0 where it has none.
    void *memory;
    size_t byte_count;
    uint64_t inode;
};

extern struct client client;

// Prints the answer of a word: a number, or the name of an errno that is given as -errno.
void answer(const char *word, int64_t value);

// Ends the client: what it was told makes no sense.
_Noreturn void give_up(const char *word, const char *why);

// The argument of `word`, which is the next word.
const char *next_argument(const char *word);
int64_t next_number(const char *word);

// Does the words that are left.
void do_words(void);

// Each does the word where it is one of its own.
bool do_device_word(const char *word);
bool do_process_word(const char *word);
