// The one vocabulary of vectors that every kernel is written in, and the activations.
#pragma once
#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512DQ__) && defined(__AVX512BW__)
#include "isa_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__)
#include "isa_avx2.h"
#elif defined(__aarch64__)
#include "isa_neon.h"
#else
#include "isa_generic.h"
#endif

#define TRISCALE_UNROLL _Pragma("GCC unroll 32")
#define TRISCALE_INLINE static inline __attribute__((always_inline))

namespace triscale {

#ifndef TRISCALE_POWER
// 2^t to about 2e-7 of itself; infinite beyond 2^126, 2^-126 below that, anything for what is not a number.
// A polynomial for the part of t within a half of a whole number, which goes into the exponent.
TRISCALE_INLINE vec power_of_two(vec t) {
  const vec inside = smaller(all(126.0f), larger(all(-126.0f), t));
  const vec shifted = inside + 12582912.0f;  // its lowest bits now hold the whole number
  const vec r = inside - (shifted - 12582912.0f);
  vec p = fma(r, all(1.3276472048e-3f), all(9.6755413847e-3f));
  p = fma(p, r, all(5.5507132738e-2f));
  p = fma(p, r, all(2.4022119723e-1f));
  p = fma(p, r, all(6.9314696706e-1f));
  p = fma(p, r, all(1.0f));
  const vec power = (vec)((whole)p + ((whole)shifted << 23));
  return t > 126.0f ? all(__builtin_inff()) : power;
}
#endif

// 1 + e^-z.
TRISCALE_INLINE vec one_and_power(vec z) { return power_of_two(z * -1.44269504088896341f) + 1.0f; }

// An activation. What is not a number passes through, as in torch.
struct Identity {
  TRISCALE_INLINE vec of(vec z) { return z; }
};
struct Relu {
  TRISCALE_INLINE vec of(vec z) { return larger(vec{}, z); }
};
struct Relu6 {
  TRISCALE_INLINE vec of(vec z) { return smaller(all(6.0f), larger(vec{}, z)); }
};
struct Silu {
  TRISCALE_INLINE vec of(vec z) { return z / one_and_power(z); }
};
struct HardSigmoid {
  TRISCALE_INLINE vec of(vec z) { return Relu6::of(z + 3.0f) * (1.0f / 6.0f); }
};
struct HardSwish {
  TRISCALE_INLINE vec of(vec z) { return z * Relu6::of(z + 3.0f) * (1.0f / 6.0f); }
};
struct Sigmoid {
  TRISCALE_INLINE vec of(vec z) { return z == z ? 1.0f / one_and_power(z) : z; }
};

}  // namespace triscale
