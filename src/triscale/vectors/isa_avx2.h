// Eight lanes, sixteen registers: x86-64-v3.
#pragma once
#include <immintrin.h>

#include <cstdint>

#define TRISCALE_LANES 8

namespace triscale {

constexpr int LANES = TRISCALE_LANES, REGISTERS = 16;
typedef __m256 vec;
typedef int32_t whole __attribute__((vector_size(32)));

static inline vec all(float value) { return _mm256_set1_ps(value); }
static inline vec load(const float* p) { return _mm256_loadu_ps(p); }
static inline void store(float* p, vec v) { _mm256_storeu_ps(p, v); }
static inline vec fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
// The second where either is not a number.
static inline vec larger(vec a, vec b) { return _mm256_max_ps(a, b); }
static inline vec smaller(vec a, vec b) { return _mm256_min_ps(a, b); }

}  // namespace triscale
