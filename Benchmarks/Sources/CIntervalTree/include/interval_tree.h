#pragma once
#include <stddef.h>
#include <stdint.h>

/// The baseline of the interval map: the same book kept in the red-black tree of the C library (tsearch), as the
/// kernel keeps its IOTLB in a red-black tree. Ranges are inclusive and never overlap.
typedef struct interval_tree interval_tree;

interval_tree *interval_tree_make(void);
void interval_tree_free(interval_tree *tree);
size_t interval_tree_count(const interval_tree *tree);

/// Adds a range; 0 where it overlaps another.
int interval_tree_insert(interval_tree *tree, uint64_t first, uint64_t last, uint64_t value);

/// The value of the range that holds `address`; 0 where there is none.
int interval_tree_find(const interval_tree *tree, uint64_t address, uint64_t *value);

/// Removes every range that touches `first` to `last`, whole; gives how many went.
size_t interval_tree_remove(interval_tree *tree, uint64_t first, uint64_t last);
