#include <string.h>

#include "engines.h"

// Clang has not the pragmas below: it gets no lanes.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

bool has_lanes() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq")
// The order of the sums in sha256_block is there on purpose; the compiler must not balance them.
#pragma GCC optimize("no-tree-reassoc")

typedef u32 Lanes __attribute__((vector_size(64)));
typedef u8 Bytes __attribute__((vector_size(64)));

// One step of turning 16 rows of 16 words on their diagonal: swaps what lies H apart.
template <int H> SHA256_INLINE void transpose_step(Lanes* rows) {
  Lanes low, high;
  for (int i = 0; i < 16; ++i) {
    low[i] = (i & H) ? 16 + (i - H) : i;
    high[i] = (i & H) ? 16 + i : i + H;
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    if (i & H) continue;
    Lanes a = rows[i], b = rows[i + H];
    rows[i] = __builtin_shuffle(a, b, low);
    rows[i + H] = __builtin_shuffle(a, b, high);
  }
}

// Takes `blocks` blocks into each lane; lane l reads from at[l], which moves by step[l] bytes a block.
SHA256_INLINE void lane_blocks(Lanes* state, const u8** at, const u64* step, u64 blocks) {
  Bytes swap;
  for (int i = 0; i < 64; ++i) swap[i] = (u8)(i ^ 3);
  for (u64 b = 0; b < blocks; ++b) {
    Lanes w[16];
#pragma GCC unroll 16
    for (int l = 0; l < 16; ++l) {
      memcpy(&w[l], at[l], 64);
      __builtin_prefetch(at[l] + 512);
      at[l] += step[l];
    }
    transpose_step<1>(w), transpose_step<2>(w), transpose_step<4>(w), transpose_step<8>(w);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) w[i] = (Lanes)__builtin_shuffle((Bytes)w[i], swap);
    sha256_block<Lanes>(state, w);
  }
}

SHA256_INLINE void load_state(Lanes* lanes, int lane, const u32* state) {
  for (int i = 0; i < 8; ++i) lanes[i][lane] = state[i];
}

SHA256_INLINE void store_state(const Lanes* lanes, int lane, u32* state) {
  for (int i = 0; i < 8; ++i) state[i] = lanes[i][lane];
}

void run_lanes(Feed& feed, Advance advance) {
  static const u8 nothing[64] = {0};  // what a lane without a document reads
  Slot slots[LANES];
  Lanes states[8] = {};
  int live = 0;
  auto fill = [&](int lane) {
    if (!feed.fill(slots[lane], AVX512)) return;
    load_state(states, lane, slots[lane].state);
    ++live;
  };
  for (int lane = 0; lane < LANES; ++lane) fill(lane);
  while (live >= LANES_MIN || (live && !feed.ended())) {
    const u8* at[LANES];
    u64 step[LANES], blocks = ~0ull;
    for (int lane = 0; lane < LANES; ++lane) {
      bool busy = slots[lane].document;
      at[lane] = busy ? slots[lane].at : nothing;
      step[lane] = busy ? 64 : 0;
      if (busy && slots[lane].blocks < blocks) blocks = slots[lane].blocks;
    }
    lane_blocks(states, at, step, blocks);
    for (int lane = 0; lane < LANES; ++lane) {
      Slot& slot = slots[lane];
      if (!slot.document) continue;
      slot.at = at[lane];
      slot.blocks -= blocks;
      if (slot.blocks) continue;
      store_state(states, lane, slot.state);
      if (slot.more()) continue;
      --live;
      fill(lane);
    }
  }
  Slot* rest[LANES];
  int count = 0;
  for (int lane = 0; lane < LANES; ++lane) {
    if (!slots[lane].document) continue;
    store_state(states, lane, slots[lane].state);
    rest[count++] = &slots[lane];
  }
  run_streams(advance, [&](Slot* const*, int) -> Slot* {
    if (!count) return nullptr;
    int longest = 0;
    for (int i = 1; i < count; ++i)
      if (rest[i]->bytes_left() > rest[longest]->bytes_left()) longest = i;
    Slot* slot = rest[longest];
    rest[longest] = rest[--count];
    return slot;
  });
}

#pragma GCC pop_options

#else

bool has_lanes() { return false; }
void run_lanes(Feed&, Advance) {}

#endif
