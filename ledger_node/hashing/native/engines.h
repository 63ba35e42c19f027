// What takes blocks into states: one document after another, three interleaved, or sixteen in the lanes of a vector.
#ifndef LEDGER_NODE_ENGINES_H
#define LEDGER_NODE_ENGINES_H

#include <atomic>

#include "documents.h"

const int STREAMS = 3;  // SHA-NI answers late but takes a new round every other cycle: three documents fill it
const int LANES = 16;
// With fewer documents left than this, streams are faster than lanes: 16 * (2.8 GB/s) / (4.3 GB/s) on a Zen 5. Where
// streams are faster than full lanes too, as on a Zen 4, calibration leaves the lanes alone.
const int LANES_MIN = 11;

// Documents that several threads take, each once, from the longest to the shortest.
class Feed {
 public:
  Feed(Document* const* order, size_t count) : order_(order), count_(count) {}
  // Begins the next readable document in a free slot; false when there is none left.
  bool fill(Slot& slot, Engine engine) {
    for (size_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;)
      if (slot.begin(*order_[i], engine)) return true;
    return false;
  }
  bool ended() const { return next_.load(std::memory_order_relaxed) >= count_; }
  size_t count() const { return count_; }
  // How long the next one is; 0 when there is none left.
  u64 next_size() const {
    size_t next = next_.load(std::memory_order_relaxed);
    return next < count_ ? order_[next]->size : 0;
  }

 private:
  Document* const* order_;
  size_t count_;
  std::atomic<size_t> next_{0};
};

// Takes `blocks` blocks into each of the first `count` slots; at most STREAMS at a time.
typedef void (*Advance)(Slot* const* slots, int count, u64 blocks);
void advance_scalar(Slot* const* slots, int count, u64 blocks);
void advance_sha_ni(Slot* const* slots, int count, u64 blocks);

// Hashes slots side by side, as many at a time as `next` hands out, until it hands out none and all are done.
// `next(live, count)` returns one more slot that has begun, or null.
template <class Next> void run_streams(Advance advance, Next next) {
  Slot* live[STREAMS];
  int count = 0;
  for (;;) {
    while (count < STREAMS) {
      Slot* slot = next(live, count);
      if (!slot) break;
      live[count++] = slot;
    }
    if (!count) return;
    u64 blocks = live[0]->blocks;
    for (int i = 1; i < count; ++i)
      if (live[i]->blocks < blocks) blocks = live[i]->blocks;
    advance(live, count, blocks);
    for (int i = count; i-- > 0;)
      if (!live[i]->blocks && !live[i]->more()) live[i] = live[--count];
  }
}

// Hashes all of a feed, LANES documents at a time, the last few by `advance`.
void run_lanes(Feed& feed, Advance advance);

bool has_sha_ni();
bool has_lanes();

#endif
