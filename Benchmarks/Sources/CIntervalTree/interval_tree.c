#define _GNU_SOURCE
#include "interval_tree.h"

#include <search.h>
#include <stdlib.h>

typedef struct {
    uint64_t first, last, value;
} entry;

struct interval_tree {
    void *root;
    size_t count;
};

// Ranges that share an address are equal, so that a search for a range finds an entry that touches it.
static int compare(const void *left, const void *right) {
    const entry *a = left, *b = right;
    if (a->last < b->first)
        return -1;
    return a->first > b->last;
}

interval_tree *interval_tree_make(void) { return calloc(1, sizeof(interval_tree)); }

void interval_tree_free(interval_tree *tree) {
    tdestroy(tree->root, free);
    free(tree);
}

size_t interval_tree_count(const interval_tree *tree) { return tree->count; }

int interval_tree_insert(interval_tree *tree, uint64_t first, uint64_t last, uint64_t value) {
    entry *new = malloc(sizeof *new);
    if (!new)
        abort();
    *new = (entry){first, last, value};
    entry **at = tsearch(new, &tree->root, compare);
    if (!at)
        abort();
    if (*at != new) {
        free(new);
        return 0;
    }
    tree->count++;
    return 1;
}

int interval_tree_find(const interval_tree *tree, uint64_t address, uint64_t *value) {
    entry key = {address, address, 0};
    entry **at = tfind(&key, (void *const *)&tree->root, compare);
    if (!at)
        return 0;
    *value = (*at)->value;
    return 1;
}

size_t interval_tree_remove(interval_tree *tree, uint64_t first, uint64_t last) {
    entry key = {first, last, 0};
    size_t removed = 0;
    for (entry **at; (at = tfind(&key, &tree->root, compare)); removed++) {
        entry *old = *at;
        tdelete(old, &tree->root, compare);
        free(old);
    }
    tree->count -= removed;
    return removed;
}
