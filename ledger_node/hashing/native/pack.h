// Documents laid out in a slab as the kernel of sha256_lanes.cu reads them.
#ifndef LEDGER_NODE_PACK_H
#define LEDGER_NODE_PACK_H

#include "documents.h"

// The slice of every document that goes into a slab.
struct Slice {
  u64 first_block;
  u64 blocks_max;
};

// Packs documents, in their order, until one does not fit; returns how many there are in the slab. A document that
// cannot be read has its error and no blocks. `start` and `blocks` are the kernel's.
size_t pack_documents(Document* documents, size_t count, Slice slice, u8* slab, u64 slab_blocks, u32* start, u32* blocks,
                      int threads);

#endif
