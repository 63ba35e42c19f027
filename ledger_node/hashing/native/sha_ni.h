// Several documents interleaved by the processor's SHA-256 instructions. Included once for every set of registers that
// they can be compiled for, each time inside a namespace and a target of its own: no guard.

// The instructions keep a state as two registers, with the words a b e f and c d g h.
template <int N> SHA256_INLINE void sha_ni_blocks(Slot* const* slots, u64 blocks) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  __m128i abef[N], cdgh[N];
  const u8* at[N];
  SHA256_UNROLL
  for (int s = 0; s < N; ++s) {
    __m128i abcd = _mm_load_si128((const __m128i*)slots[s]->state);
    __m128i efgh = _mm_load_si128((const __m128i*)(slots[s]->state + 4));
    abef[s] = _mm_shuffle_epi32(_mm_unpacklo_epi64(abcd, efgh), 0x1B);
    cdgh[s] = _mm_shuffle_epi32(_mm_unpackhi_epi64(abcd, efgh), 0x1B);
    at[s] = slots[s]->at;
  }
  for (u64 b = 0; b < blocks; ++b) {
    __m128i w[N][4], abef_before[N], cdgh_before[N];
    SHA256_UNROLL
    for (int s = 0; s < N; ++s) {
      abef_before[s] = abef[s];
      cdgh_before[s] = cdgh[s];
      SHA256_UNROLL
      for (int i = 0; i < 4; ++i) w[s][i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i*)(at[s] + 16 * i)), swap);
      at[s] += 64;
    }
    SHA256_UNROLL
    for (int r = 0; r < 16; ++r) {
      SHA256_UNROLL
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
    SHA256_UNROLL
    for (int s = 0; s < N; ++s) {
      abef[s] = _mm_add_epi32(abef[s], abef_before[s]);
      cdgh[s] = _mm_add_epi32(cdgh[s], cdgh_before[s]);
    }
  }
  SHA256_UNROLL
  for (int s = 0; s < N; ++s) {
    __m128i abef_up = _mm_shuffle_epi32(abef[s], 0x1B), cdgh_up = _mm_shuffle_epi32(cdgh[s], 0xB1);
    _mm_store_si128((__m128i*)slots[s]->state, _mm_blend_epi16(abef_up, cdgh_up, 0xF0));
    _mm_store_si128((__m128i*)(slots[s]->state + 4), _mm_alignr_epi8(cdgh_up, abef_up, 8));
    slots[s]->at = at[s];
    slots[s]->blocks -= blocks;
  }
}

void advance(Slot* const* slots, int count, u64 blocks) {
  if (count == 3)
    sha_ni_blocks<3>(slots, blocks);
  else if (count == 2)
    sha_ni_blocks<2>(slots, blocks);
  else
    sha_ni_blocks<1>(slots, blocks);
}
