// Four lanes by the compiler's vector extension: for every processor.
#pragma once
#include <cstdint>
#include <cstring>

#define TRISCALE_LANES 4

namespace triscale {

constexpr int LANES = TRISCALE_LANES, REGISTERS = 16;
typedef float vec __attribute__((vector_size(16)));
typedef int32_t whole __attribute__((vector_size(16)));

static inline vec all(float value) { return vec{value, value, value, value}; }
static inline vec load(const float* p) {
  vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
static inline void store(float* p, vec v) { std::memcpy(p, &v, sizeof v); }
static inline vec fma(vec a, vec b, vec c) { return a * b + c; }
// The second where either is not a number.
static inline vec larger(vec a, vec b) { return a > b ? a : b; }
static inline vec smaller(vec a, vec b) { return a < b ? a : b; }

}  // namespace triscale
