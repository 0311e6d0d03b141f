// The one vocabulary of vectors that every kernel is written in, and the activations.
#pragma once
#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512DQ__) && defined(__AVX512BW__)
#include "isa_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__)
#include "isa_avx2.h"
#else
#include "isa_generic.h"
#endif

#define TRISCALE_UNROLL _Pragma("GCC unroll 32")
#define TRISCALE_INLINE static inline __attribute__((always_inline))

namespace triscale {

// 1 / (1 + e^-z) to about 2e-7 of itself. e^-z is 2^t, t a whole number plus a part within a half.
// Beyond 2^126 the result is 0, so that z times it is what torch gives, for infinite z too.
TRISCALE_INLINE vec positive_sigmoid(vec z) {
  const vec t = z * -1.44269504088896341f;
  const vec inside = smaller(all(126.0f), larger(all(-126.0f), t));
  const vec shifted = inside + 12582912.0f;  // its lowest bits now hold the whole number
  const vec n = shifted - 12582912.0f;
  vec r = fma(n, all(-0.693359375f), z * -1.0f);  // -z less n ln 2, in two parts
  r = fma(n, all(2.12194440e-4f), r);
  vec p = fma(r, all(1.9875691500e-4f), all(1.3981999507e-3f));
  p = fma(p, r, all(8.3334519073e-3f));
  p = fma(p, r, all(4.1665795894e-2f));
  p = fma(p, r, all(1.6666665459e-1f));
  p = fma(p, r, all(5.0000001201e-1f));
  p = fma(p, r * r, r + 1.0f);
  const vec power = (vec)((whole)p + ((whole)shifted << 23));
  return t > 126.0f ? vec{} : (t < -126.0f ? all(1.0f) : 1.0f / (power + 1.0f));
}

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
  TRISCALE_INLINE vec of(vec z) { return z * positive_sigmoid(z); }
};
struct HardSigmoid {
  TRISCALE_INLINE vec of(vec z) { return Relu6::of(z + 3.0f) * (1.0f / 6.0f); }
};
struct HardSwish {
  TRISCALE_INLINE vec of(vec z) { return z * Relu6::of(z + 3.0f) * (1.0f / 6.0f); }
};
struct Sigmoid {
  TRISCALE_INLINE vec of(vec z) { return z == z ? positive_sigmoid(z) : z; }
};

}  // namespace triscale
