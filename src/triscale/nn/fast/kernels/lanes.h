// Loads and stores of float and bfloat16, of all lanes of a register or the first ones; activations with their slopes.
#pragma once
#include <cstdint>
#include <cstring>

#include "vectors.h"

namespace triscale {

typedef uint32_t bits __attribute__((vector_size(4 * LANES)));
typedef uint16_t halves __attribute__((vector_size(2 * LANES)));
struct bfloat16 {
  uint16_t raw;
};

static inline vec widen(halves h) { return (vec)(__builtin_convertvector(h, bits) << 16); }

// To the nearest, ties to even; what is not a number stays so.
static inline halves narrow(vec v) {
#ifdef __AVX512BF16__
  const __m256bh one = _mm512_cvtneps_pbh((__m512)v);
  halves h;
  std::memcpy(&h, &one, sizeof h);
  return h;
#else
  const bits u = (bits)v;
  const bits rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  const bits kept = v == v ? rounded : bits{} + 0x7fc0;
  return __builtin_convertvector(kept, halves);
#endif
}

static inline vec load_all(const float* p) { return load(p); }
static inline vec load_all(const bfloat16* p) {
  halves h;
  std::memcpy(&h, p, sizeof h);
  return widen(h);
}
static inline void store_all(float* p, vec v) { store(p, v); }
static inline void store_all(bfloat16* p, vec v) {
  const halves h = narrow(v);
  std::memcpy(p, &h, sizeof h);
}
// What a store and a load would make of it.
static inline vec rounded(const float*, vec v) { return v; }
static inline vec rounded(const bfloat16*, vec v) { return widen(narrow(v)); }

// The first `lanes` of a vector; the rest is 0.
template <class T>
static inline vec load(const T* p, int lanes) {
  if (__builtin_expect(lanes == LANES, 1)) return load_all(p);
  T some[LANES] = {};
  if (lanes == LANES / 2) std::memcpy(some, p, sizeof(T) * LANES / 2);
  else for (int i = 0; i < lanes; ++i) some[i] = p[i];
  return load_all(some);
}
template <class T>
static inline void store(T* p, vec v, int lanes) {
  if (__builtin_expect(lanes == LANES, 1)) return store_all(p, v);
  T some[LANES];
  store_all(some, v);
  if (lanes == LANES / 2) std::memcpy(p, some, sizeof(T) * LANES / 2);
  else for (int i = 0; i < lanes; ++i) p[i] = some[i];
}

// 1 / (1 + e^-z), to about 2e-7 of itself; to 6e-5 where that is far below what a store rounds, in half the time.
static inline vec sigmoid_for(const float*, vec z) { return 1.0f / one_and_power(z); }
static inline vec sigmoid_for(const bfloat16*, vec z) {
#ifdef __AVX512DQ__
  const vec t = z * -1.44269504088896341f;
  const vec f = __builtin_ia32_reduceps512_mask(t, 1, vec{}, -1);  // t less the whole number below it
  vec p = f * 1.3534167e-2f + 5.2011464e-2f;
  p = p * f + 2.4144275e-1f;
  p = p * f + 6.9300383e-1f;
  p = p * f + 1.0000026f;
  const vec power = __builtin_ia32_scalefps512_mask(p, t, vec{}, -1, 4);
  return __builtin_ia32_rcp14ps512_mask(1.0f + power, vec{}, -1);
#else
  return sigmoid_for((const float*)nullptr, z);
#endif
}

// An activation on maps of type T: its value, or value and slope. Comparisons let what is not a number through.
template <class T, class Activation>
struct Sloped;
template <class T>
struct Sloped<T, Identity> : Identity {
  static inline vec both(vec z, vec& slope) { return slope = all(1.0f), z; }
};
template <class T>
struct Sloped<T, Relu> : Relu {
  static inline vec both(vec z, vec& slope) { return slope = z > 0.0f ? all(1.0f) : vec{}, of(z); }
};
template <class T>
struct Sloped<T, Relu6> : Relu6 {
  static inline vec both(vec z, vec& slope) {
    const vec below = z < 6.0f ? all(1.0f) : vec{};
    return slope = z > 0.0f ? below : vec{}, of(z);
  }
};
template <class T>
struct Sloped<T, Silu> {
  static inline vec of(vec z) { return z * sigmoid_for((const T*)nullptr, z); }
  static inline vec both(vec z, vec& slope) {
    const vec gate = sigmoid_for((const T*)nullptr, z), y = z * gate;
    return slope = gate + y * (1.0f - gate), y;
  }
};
template <class T>
struct Sloped<T, HardSwish> : HardSwish {
  static inline vec both(vec z, vec& slope) {
    const vec inner = z <= 3.0f ? z * (1.0f / 3.0f) + 0.5f : all(1.0f);
    return slope = z < -3.0f ? vec{} : inner, of(z);
  }
};

}  // namespace triscale
