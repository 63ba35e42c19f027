// One SHA-256 compression function for every backend (FIPS 180-4).  W is the type of a word:
//   CUDA, and C++ without vectors: uint32_t, one document per thread;
//   C++ with vectors: a GCC vector of them, one document per lane.
// It includes nothing, so that NVRTC takes it as it is.
#ifndef LEDGER_NODE_SHA256_CORE_H
#define LEDGER_NODE_SHA256_CORE_H

typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned char u8;

#define SHA256_ROUND_CONSTANTS \
  0x428a2f98u, 0x71374491u, 0xb5c0fbcfu, 0xe9b5dba5u, 0x3956c25bu, 0x59f111f1u, 0x923f82a4u, 0xab1c5ed5u, \
  0xd807aa98u, 0x12835b01u, 0x243185beu, 0x550c7dc3u, 0x72be5d74u, 0x80deb1feu, 0x9bdc06a7u, 0xc19bf174u, \
  0xe49b69c1u, 0xefbe4786u, 0x0fc19dc6u, 0x240ca1ccu, 0x2de92c6fu, 0x4a7484aau, 0x5cb0a9dcu, 0x76f988dau, \
  0x983e5152u, 0xa831c66du, 0xb00327c8u, 0xbf597fc7u, 0xc6e00bf3u, 0xd5a79147u, 0x06ca6351u, 0x14292967u, \
  0x27b70a85u, 0x2e1b2138u, 0x4d2c6dfcu, 0x53380d13u, 0x650a7354u, 0x766a0abbu, 0x81c2c92eu, 0x92722c85u, \
  0xa2bfe8a1u, 0xa81a664bu, 0xc24b8b70u, 0xc76c51a3u, 0xd192e819u, 0xd6990624u, 0xf40e3585u, 0x106aa070u, \
  0x19a4c116u, 0x1e376c08u, 0x2748774cu, 0x34b0bcb5u, 0x391c0cb3u, 0x4ed8aa4au, 0x5b9cca4fu, 0x682e6ff3u, \
  0x748f82eeu, 0x78a5636fu, 0x84c87814u, 0x8cc70208u, 0x90befffau, 0xa4506cebu, 0xbef9a3f7u, 0xc67178f2u

#ifdef __CUDACC__
#define SHA256_INLINE __device__ __forceinline__
#define SHA256_CONSTANT constexpr
#define SHA256_UNROLL _Pragma("unroll")
SHA256_INLINE u32 sha256_add(u32 x, u32 y) { return x + y; }
#ifdef SHA_MAD
// x * 1 + y, on the pipe that multiplies: Hopper's integer pipe is what this loop waits for.  The compiler must not see
// that the factor is 1.
__constant__ u32 sha256_one = 1;
SHA256_INLINE u32 sha256_mad(u32 x, u32 y) {
  u32 sum;
  asm("mad.lo.u32 %0, %1, %2, %3;" : "=r"(sum) : "r"(x), "r"(sha256_one), "r"(y));
  return sum;
}
#else
SHA256_INLINE u32 sha256_mad(u32 x, u32 y) { return x + y; }
#endif
template <int N> SHA256_INLINE u32 sha256_rotate(u32 x) { return __funnelshift_r(x, x, N); }
#else
#define SHA256_INLINE static inline __attribute__((always_inline))
#define SHA256_CONSTANT static const
#define SHA256_UNROLL _Pragma("GCC unroll 64")
template <class W> SHA256_INLINE W sha256_add(W x, W y) { return x + y; }
template <class W> SHA256_INLINE W sha256_mad(W x, W y) { return x + y; }
template <int N, class W> SHA256_INLINE W sha256_rotate(W x) { return (x >> N) | (x << (32 - N)); }
#endif

// Takes one block into the state.  `state` has 8 words; `w` holds the block's 16 words in the machine's own byte order
// and is used up.
template <class W> SHA256_INLINE void sha256_block(W* state, W* w) {
  SHA256_CONSTANT u32 constants[64] = {SHA256_ROUND_CONSTANTS};
  W a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  SHA256_UNROLL
  for (int i = 0; i < 64; ++i) {
    if (i >= 16) {
      W x = w[(i + 1) & 15], y = w[(i + 14) & 15];
      W s0 = sha256_rotate<7>(x) ^ sha256_rotate<18>(x) ^ (x >> 3);
      W s1 = sha256_rotate<17>(y) ^ sha256_rotate<19>(y) ^ (y >> 10);
      w[i & 15] = sha256_add(sha256_mad(sha256_add(w[i & 15], w[(i + 9) & 15]), s0), s1);
    }
    W sum1 = sha256_rotate<6>(e) ^ sha256_rotate<11>(e) ^ sha256_rotate<25>(e);
    W sum0 = sha256_rotate<2>(a) ^ sha256_rotate<13>(a) ^ sha256_rotate<22>(a);
    // Only one addition stands between this round's sum1 and the next round's e and a; all else waits for nothing of
    // this round.  On processor lanes that order alone is worth a factor of 1.5.
    // Which sums multiply was tried on an H200, some 230 of the 2048 choices: these take 84 % of the time of none, and
    // 82 % of that of all.
    W ready = sha256_mad(sha256_add(sha256_mad(h, w[i & 15]), (w[i & 15] ^ w[i & 15]) + constants[i]),
                         (e & f) ^ (~e & g));
    W for_e = sha256_add(d, ready);
    W for_a = sha256_add(ready, sha256_mad(sum0, (a & b) | (c & (a | b))));
    h = g, g = f, f = e, e = sha256_mad(for_e, sum1);
    d = c, c = b, b = a, a = sha256_mad(for_a, sum1);
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

SHA256_INLINE void sha256_start(u32* state) {
  SHA256_CONSTANT u32 start[8] = {0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                                  0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};
  for (int i = 0; i < 8; ++i) state[i] = start[i];
}

// How many 64-byte blocks a document of `size` bytes has, its padding included (FIPS 180-4 section 5.1.1).
SHA256_INLINE u64 sha256_blocks(u64 size) { return (size + 8) / 64 + 1; }

#endif
