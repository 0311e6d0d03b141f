// Sixteen channels at a time: loads and stores of float and bfloat16, activations with their slopes.
// GCC's vector extension; a machine without 512-bit registers gets the same in smaller pieces.
#pragma once
#include <cstdint>
#include <cstring>

namespace triscale {

constexpr int LANES = 16;
typedef float vec __attribute__((vector_size(64)));
typedef uint32_t bits __attribute__((vector_size(64)));
typedef int32_t ints __attribute__((vector_size(64)));
typedef uint16_t halves __attribute__((vector_size(32)));
struct bfloat16 {
  uint16_t raw;
};

static inline vec all(float value) { return value - vec{}; }

static inline vec widen(halves h) { return (vec)(__builtin_convertvector(h, bits) << 16); }

// To the nearest, ties to even; what is not a number stays so.
static inline halves narrow(vec v) {
  const bits u = (bits)v;
  const bits rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  const bits kept = v == v ? rounded : bits{} + 0x7fc0;
  return __builtin_convertvector(kept, halves);
}

static inline vec load16(const float* p) {
  vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
static inline vec load16(const bfloat16* p) {
  halves h;
  std::memcpy(&h, p, sizeof h);
  return widen(h);
}
static inline void store16(float* p, vec v) { std::memcpy(p, &v, sizeof v); }
static inline void store16(bfloat16* p, vec v) {
  const halves h = narrow(v);
  std::memcpy(p, &h, sizeof h);
}
// What a store and a load would make of it.
static inline vec rounded(const float*, vec v) { return v; }
static inline vec rounded(const bfloat16*, vec v) { return widen(narrow(v)); }

// The first `lanes` of sixteen; the rest is 0.
template <class T>
static inline vec load(const T* p, int lanes) {
  if (__builtin_expect(lanes == LANES, 1)) return load16(p);
  T some[LANES] = {};
  if (lanes == LANES / 2) std::memcpy(some, p, sizeof(T) * LANES / 2);
  else for (int i = 0; i < lanes; ++i) some[i] = p[i];
  return load16(some);
}
template <class T>
static inline void store(T* p, vec v, int lanes) {
  if (__builtin_expect(lanes == LANES, 1)) return store16(p, v);
  T some[LANES];
  store16(some, v);
  if (lanes == LANES / 2) std::memcpy(p, some, sizeof(T) * LANES / 2);
  else for (int i = 0; i < lanes; ++i) p[i] = some[i];
}

// e^x within two units of the last place (Cephes' polynomial); the ends are those where float ends.
static inline vec exponential(vec x) {
  x = x > -87.0f ? x : all(-87.0f);
  x = x < 88.0f ? x : all(88.0f);
  const vec n = (x * 1.44269504088896341f + 12582912.0f) - 12582912.0f;
  const vec r = x - n * 0.693359375f + n * 2.12194440e-4f;
  vec p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return p * (vec)((__builtin_convertvector(n, ints) + 127) << 23);
}

// An activation: its value, or value and slope. Comparisons let what is not a number through, as torch does.
struct Identity {
  static inline vec value(vec z) { return z; }
  static inline vec both(vec z, vec& slope) { return slope = all(1.0f), z; }
};
struct Relu {
  static inline vec value(vec z) { return z < 0.0f ? vec{} : z; }
  static inline vec both(vec z, vec& slope) { return slope = z > 0.0f ? all(1.0f) : vec{}, value(z); }
};
struct Relu6 {
  static inline vec value(vec z) { return z < 0.0f ? vec{} : (z > 6.0f ? all(6.0f) : z); }
  static inline vec both(vec z, vec& slope) {
    const vec below = z < 6.0f ? all(1.0f) : vec{};
    return slope = z > 0.0f ? below : vec{}, value(z);
  }
};
struct Silu {
  static inline vec value(vec z) { return z / (1.0f + exponential(-z)); }
  static inline vec both(vec z, vec& slope) {
    const vec gate = 1.0f / (1.0f + exponential(-z)), y = z * gate;
    return slope = gate + y * (1.0f - gate), y;
  }
};
struct HardSwish {
  static inline vec value(vec z) { return z * Relu6::value(z + 3.0f) * (1.0f / 6.0f); }
  static inline vec both(vec z, vec& slope) {
    const vec inner = z <= 3.0f ? z * (1.0f / 3.0f) + 0.5f : all(1.0f);
    return slope = z < -3.0f ? vec{} : inner, value(z);
  }
};

}  // namespace triscale
