// Sixteen lanes, thirty-two registers: x86-64-v4.
#pragma once
#include <immintrin.h>

#include <cstdint>

#define TRISCALE_LANES 16

namespace triscale {

constexpr int LANES = TRISCALE_LANES, REGISTERS = 32;
typedef __m512 vec;
typedef int32_t whole __attribute__((vector_size(64)));

static inline vec all(float value) { return _mm512_set1_ps(value); }
static inline vec load(const float* p) { return _mm512_loadu_ps(p); }
static inline void store(float* p, vec v) { _mm512_storeu_ps(p, v); }
static inline vec fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
// The second where either is not a number.
static inline vec larger(vec a, vec b) { return _mm512_max_ps(a, b); }
static inline vec smaller(vec a, vec b) { return _mm512_min_ps(a, b); }

#define TRISCALE_POWER
// 2^t to about 1.5e-7 of itself, from 0 to infinity: a polynomial for the part of t above a whole number.
static inline vec power_of_two(vec t) {
  const vec r = _mm512_reduce_ps(t, 1);
  vec p = fma(r, all(1.8775766832e-3f), all(8.9893401415e-3f));
  p = fma(p, r, all(5.5826317935e-2f));
  p = fma(p, r, all(2.4015361712e-1f));
  p = fma(p, r, all(6.9315307318e-1f));
  p = fma(p, r, all(9.9999992506e-1f));
  return _mm512_scalef_ps(p, t);
}

}  // namespace triscale
