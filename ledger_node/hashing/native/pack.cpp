#include "pack.h"

#include <string.h>

#include <algorithm>
#include <atomic>

#include "batch.h"

namespace {

const size_t DOCUMENTS_AT_ONCE = 16;

// Puts `bytes` of a file from `offset` on into the slab; `room` says that one byte more has a place.
void read_into(Document& document, u8* into, size_t bytes, u64 offset, bool room) {
  OpenFile file;
  u64 planned = document.size;
  if (!file.open(document)) return;
  // One byte more than there should be tells a file that grew, or whose size nobody knew.
  long got = file.read(document, into, bytes + room, offset);
  if (got >= 0 && ((size_t)got != bytes || document.size != planned)) document.error = CHANGED;
  file.close(document);
}

// Writes `blocks` blocks of the padded document, from block `first` on.
void pack_one(Document& document, u8* into, u64 first, u64 blocks) {
  u64 from = first * 64, upto = from + blocks * 64;
  size_t bytes = from < document.size ? (size_t)(std::min(document.size, upto) - from) : 0;
  if (document.is_file())
    read_into(document, into, bytes, from, from + bytes < upto);
  else if (bytes)
    memcpy(into, document.data + from, bytes);
  if (upto <= document.size || document.error) return;
  memset(into + bytes, 0, (size_t)(blocks * 64) - bytes);
  if (document.size >= from) into[document.size - from] = 0x80;
  if (upto < sha256_blocks(document.size) * 64) return;
  u64 bits = __builtin_bswap64(document.size * 8);
  memcpy(into + blocks * 64 - 8, &bits, 8);
}

}  // namespace

size_t pack_documents(Document* documents, size_t count, Slice slice, u8* slab, u64 slab_blocks, u32* start, u32* blocks,
                      int threads) {
  look_at_files(documents, count, worthwhile_threads(documents, count, threads));
  size_t taken = 0;
  for (u64 used = 0; taken < count; ++taken) {
    const Document& document = documents[taken];
    u64 all = document.error ? 0 : sha256_blocks(document.size);
    u64 here = all > slice.first_block ? std::min(all - slice.first_block, slice.blocks_max) : 0;
    if (here > slab_blocks - used) break;
    start[taken] = (u32)used;
    blocks[taken] = (u32)here;
    used += here;
  }
  std::atomic<size_t> next{0};
  on_threads(worthwhile_threads(documents, taken, threads), [&](int) {
    for (size_t from; (from = next.fetch_add(DOCUMENTS_AT_ONCE)) < taken;)
      for (size_t i = from; i < std::min(from + DOCUMENTS_AT_ONCE, taken); ++i) {
        if (!blocks[i]) continue;
        pack_one(documents[i], slab + (u64)start[i] * 64, slice.first_block, blocks[i]);
        if (documents[i].error) blocks[i] = 0;
      }
  });
  return taken;
}
