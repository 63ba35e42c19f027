#include "engines.h"

#include <string.h>

void advance_scalar(Slot* const* slots, int count, u64 blocks) {
  for (int s = 0; s < count; ++s) {
    Slot& slot = *slots[s];
    for (u64 b = 0; b < blocks; ++b, slot.at += 64) {
      u32 w[16];
      memcpy(w, slot.at, 64);
      for (u32& word : w) word = __builtin_bswap32(word);
      sha256_block<u32>(slot.state, w);
    }
    slot.blocks -= blocks;
  }
}

// Clang has neither of the pragmas below: it gets the portable engine, and calibration may prefer hashlib.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <cpuid.h>
#include <immintrin.h>

bool has_sha_ni() {
  unsigned a, b, c, d;
  bool sha = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
  return sha && __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3");
}

bool has_lanes() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

#pragma GCC push_options
#pragma GCC target("sha,sse4.1,ssse3")

alignas(64) static const u32 constants[64] = {SHA256_ROUND_CONSTANTS};

// The instructions keep a state as two registers, with the words a b e f and c d g h.
template <int N> SHA256_INLINE void sha_ni_blocks(Slot* const* slots, u64 blocks) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  __m128i abef[N], cdgh[N];
  const u8* at[N];
  for (int s = 0; s < N; ++s) {
    __m128i abcd = _mm_load_si128((const __m128i*)slots[s]->state);
    __m128i efgh = _mm_load_si128((const __m128i*)(slots[s]->state + 4));
    abef[s] = _mm_shuffle_epi32(_mm_unpacklo_epi64(abcd, efgh), 0xB1);
    abef[s] = _mm_shuffle_epi32(abef[s], 0x4E);
    cdgh[s] = _mm_shuffle_epi32(_mm_unpackhi_epi64(abcd, efgh), 0xB1);
    cdgh[s] = _mm_shuffle_epi32(cdgh[s], 0x4E);
    at[s] = slots[s]->at;
  }
  for (u64 b = 0; b < blocks; ++b) {
    __m128i w[N][4], abef_before[N], cdgh_before[N];
#pragma GCC unroll 3
    for (int s = 0; s < N; ++s) {
      abef_before[s] = abef[s];
      cdgh_before[s] = cdgh[s];
      for (int i = 0; i < 4; ++i) w[s][i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i*)(at[s] + 16 * i)), swap);
      at[s] += 64;
    }
#pragma GCC unroll 16
    for (int r = 0; r < 16; ++r) {
#pragma GCC unroll 3
      for (int s = 0; s < N; ++s) {
        __m128i sum = _mm_add_epi32(w[s][r & 3], _mm_load_si128((const __m128i*)(constants + 4 * r)));
        cdgh[s] = _mm_sha256rnds2_epu32(cdgh[s], abef[s], sum);
        abef[s] = _mm_sha256rnds2_epu32(abef[s], cdgh[s], _mm_shuffle_epi32(sum, 0x0E));
        if (r < 12) {
          __m128i x = _mm_sha256msg1_epu32(w[s][r & 3], w[s][(r + 1) & 3]);
          x = _mm_add_epi32(x, _mm_alignr_epi8(w[s][(r + 3) & 3], w[s][(r + 2) & 3], 4));
          w[s][r & 3] = _mm_sha256msg2_epu32(x, w[s][(r + 3) & 3]);
        }
      }
    }
    for (int s = 0; s < N; ++s) {
      abef[s] = _mm_add_epi32(abef[s], abef_before[s]);
      cdgh[s] = _mm_add_epi32(cdgh[s], cdgh_before[s]);
    }
  }
  for (int s = 0; s < N; ++s) {
    __m128i abef_up = _mm_shuffle_epi32(abef[s], 0x1B), cdgh_up = _mm_shuffle_epi32(cdgh[s], 0xB1);
    _mm_store_si128((__m128i*)slots[s]->state, _mm_blend_epi16(abef_up, cdgh_up, 0xF0));
    _mm_store_si128((__m128i*)(slots[s]->state + 4), _mm_alignr_epi8(cdgh_up, abef_up, 8));
    slots[s]->at = at[s];
    slots[s]->blocks -= blocks;
  }
}

void advance_sha_ni(Slot* const* slots, int count, u64 blocks) {
  if (count == 3)
    sha_ni_blocks<3>(slots, blocks);
  else if (count == 2)
    sha_ni_blocks<2>(slots, blocks);
  else
    sha_ni_blocks<1>(slots, blocks);
}

#pragma GCC pop_options
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

bool has_sha_ni() { return false; }
bool has_lanes() { return false; }
void advance_sha_ni(Slot* const* slots, int count, u64 blocks) { advance_scalar(slots, count, blocks); }
void run_lanes(Feed& feed, Advance advance) {
  Slot slot;
  run_streams(advance, [&](Slot* const*, int count) { return !count && feed.fill(slot, SCALAR) ? &slot : nullptr; });
}

#endif
