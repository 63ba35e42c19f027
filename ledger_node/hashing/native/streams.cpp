#include <string.h>

#include "engines.h"

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

// Clang has not the pragmas below: it gets the portable engine, and calibration may prefer hashlib.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <cpuid.h>
#include <immintrin.h>

alignas(64) static const u32 constants[64] = {SHA256_ROUND_CONSTANTS};

#pragma GCC push_options
#pragma GCC target("sha,avx")
namespace sixteen_registers {
#include "sha_ni.h"
}
#pragma GCC pop_options

// The same code: with 32 registers the third stream is worth 20 % where 16 spill.
#pragma GCC push_options
#pragma GCC target("sha,avx512vl")
namespace thirty_two_registers {
#include "sha_ni.h"
}
#pragma GCC pop_options

void advance_sha_ni(Slot* const* slots, int count, u64 blocks) {
  static const Advance advance =
      __builtin_cpu_supports("avx512vl") ? thirty_two_registers::advance : sixteen_registers::advance;
  advance(slots, count, blocks);
}

bool has_sha_ni() {
  // Asked once: a virtual machine leaves for its host at every cpuid, for tens of microseconds.
  static const bool sha = [] {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
  }();
  return sha && __builtin_cpu_supports("avx");
}

#else

void advance_sha_ni(Slot* const* slots, int count, u64 blocks) { advance_scalar(slots, count, blocks); }
bool has_sha_ni() { return false; }

#endif
