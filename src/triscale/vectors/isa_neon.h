// Four lanes, thirty-two registers: every 64-bit Arm processor. Weights lie as for isa_generic.h.
#pragma once
#include <arm_neon.h>

#include <cstdint>

#define TRISCALE_LANES 4

namespace triscale {

constexpr int LANES = TRISCALE_LANES, REGISTERS = 32;
typedef float vec __attribute__((vector_size(16)));
typedef int32_t whole __attribute__((vector_size(16)));

static inline vec all(float value) { return (vec)vdupq_n_f32(value); }
static inline vec load(const float* p) { return (vec)vld1q_f32(p); }
static inline void store(float* p, vec v) { vst1q_f32(p, (float32x4_t)v); }
static inline vec fma(vec a, vec b, vec c) { return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
// What is not a number passes, be it the first or the second.
static inline vec larger(vec a, vec b) { return (vec)vmaxq_f32((float32x4_t)a, (float32x4_t)b); }
static inline vec smaller(vec a, vec b) { return (vec)vminq_f32((float32x4_t)a, (float32x4_t)b); }

}  // namespace triscale
