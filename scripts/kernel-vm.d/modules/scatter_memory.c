// SPDX-License-Identifier: GPL-2.0
// While this module is loaded, free memory lies in single pages: it takes every larger free block, splits it, gives
// back every second page and keeps the pages between. A program can do the same with memfd_create and a punched hole
// per page, in twenty times the time, and cannot take the blocks that are left over.
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>

// What the kernel needs in larger blocks (slabs, mostly) comes from these, which are given back whole.
enum { LARGEST_ORDER = 10, RESERVED_BLOCKS = 4 };

static LIST_HEAD(kept);

static struct page *take(unsigned int order)
{
	// Only what is free now, nothing is reclaimed or moved for it; but of that also what the kernel sets aside.
	return alloc_pages((GFP_HIGHUSER_MOVABLE & ~__GFP_RECLAIM) | __GFP_HIGH | __GFP_NOWARN, order);
}

static void scatter(struct page *block, unsigned int order)
{
	unsigned int i;

	split_page(block, order);
	for (i = 0; i < 1U << order; i++) {
		if (i % 2)
			__free_page(block + i);
		else
			list_add(&block[i].lru, &kept);
	}
}

static int __init scatter_memory_init(void)
{
	struct page *block, *reserved[RESERVED_BLOCKS];
	unsigned int order, count = 0;
	LIST_HEAD(blocks);

	while (count < RESERVED_BLOCKS && (block = take(LARGEST_ORDER)))
		reserved[count++] = block;
	// Nothing is given back before all is taken: what is given back must not be taken again.
	for (order = LARGEST_ORDER; order > 0; order--) {
		while ((block = take(order))) {
			block->private = order;
			list_add(&block->lru, &blocks);
		}
	}
	while (!list_empty(&blocks)) {
		block = list_first_entry(&blocks, struct page, lru);
		list_del(&block->lru);
		order = block->private;
		block->private = 0;
		scatter(block, order);
		cond_resched();
	}
	while (count > 0)
		__free_pages(reserved[--count], LARGEST_ORDER);
	return 0;
}

static void __exit scatter_memory_exit(void)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &kept, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}

module_init(scatter_memory_init);
module_exit(scatter_memory_exit);
MODULE_DESCRIPTION("Leaves free memory in single pages");
MODULE_LICENSE("GPL");
