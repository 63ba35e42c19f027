// SHA-256 of many documents side by side: one thread per document.
//
// What the kernel reads, and the packer (pack.cpp) writes: every document, or the slice of it that is in this launch,
// begins at a multiple of 64 bytes of `data` and is a whole number of 64-byte blocks; the padding of FIPS 180-4 stands
// after its last byte, so no thread ever meets an unfinished block.
//   data    the slab of blocks
//   start   n numbers: where a document's blocks begin, counted in blocks from the start of `data`
//   blocks  n numbers: how many blocks this launch takes into the document's state (0: none, the state is left alone)
//   state   8 * n words, word-major: word i of document t is state[i * n + t], in the machine's own byte order
//   fresh   1: documents begin with this launch; 0: they go on from `state`, so a long one may span many launches
// A digest is a document's 8 words, each most significant byte first.
#include "sha256_core.h"

extern "C" __global__ void __launch_bounds__(128)
sha256_lanes(const uint4* __restrict__ data, const u32* __restrict__ start, const u32* __restrict__ blocks, u32 n,
             u32* __restrict__ state, u32 fresh) {
  u32 t = blockIdx.x * blockDim.x + threadIdx.x;
  if (t >= n) return;
  u32 words[8], w[16];
  if (fresh) {
    sha256_start(words);
  } else {
    SHA256_UNROLL
    for (int i = 0; i < 8; ++i) words[i] = state[(u64)i * n + t];
  }
  const uint4* at = data + (u64)start[t] * 4;
  _Pragma("unroll 1")
  for (u32 left = blocks[t]; left; --left, at += 4) {
    SHA256_UNROLL
    for (int k = 0; k < 4; ++k) {
      uint4 four = __ldcs(at + k);
      w[4 * k] = __byte_perm(four.x, 0, 0x0123);
      w[4 * k + 1] = __byte_perm(four.y, 0, 0x0123);
      w[4 * k + 2] = __byte_perm(four.z, 0, 0x0123);
      w[4 * k + 3] = __byte_perm(four.w, 0, 0x0123);
    }
    sha256_block<u32>(words, w);
  }
  SHA256_UNROLL
  for (int i = 0; i < 8; ++i) state[(u64)i * n + t] = words[i];
}
