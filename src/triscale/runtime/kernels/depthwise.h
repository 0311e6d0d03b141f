// Convolutions of each channel by itself: a tile of outputs stays in registers over the rows of the kernel.
#pragma once
#include "tiles.h"

namespace triscale {

struct Spatial {
  int kernel, stride, panels;
  Lie in, out;
  bool mean;
};

template <int P, int K, int S>
TRISCALE_INLINE void slide_row(vec (&sums)[P], const float* x, const float* taps) {
  vec t[K];
  TRISCALE_UNROLL for (int j = 0; j < K; ++j) t[j] = load(taps + j * LANES);
  TRISCALE_UNROLL for (int j = 0; j < (P - 1) * S + K; ++j) {
    const vec v = load(x + j * LANES);
    TRISCALE_UNROLL for (int p = 0; p < P; ++p)
      if (j - p * S >= 0 && j - p * S < K) sums[p] = fma(v, t[j - p * S], sums[p]);
  }
}

// `count` tiles of P outputs of one row; returns their sum.
template <int P, int K, int S, class Activation>
__attribute__((noinline)) vec slide(const float* x, long in_row, const float* weights, float* y, int count) {
  vec total{};
  for (int tile = 0; tile < count; ++tile, x += P * S * LANES, y += P * LANES) {
    vec sums[P];
    const vec bias = load(weights);
    TRISCALE_UNROLL for (int p = 0; p < P; ++p) sums[p] = bias;
#pragma GCC unroll 1
    for (int i = 0; i < K; ++i) slide_row<P, K, S>(sums, x + i * in_row, weights + (1 + i * K) * LANES);
    TRISCALE_UNROLL for (int p = 0; p < P; ++p) {
      const vec value = Activation::of(sums[p]);
      store(y + p * LANES, value);
      total = total + value;
    }
  }
  return total;
}

constexpr int most_outputs(int kernel) {
  const int left = REGISTERS - kernel - 2;
  return left > 14 ? 14 : left < 4 ? 4 : left > 7 ? 7 : left;
}

// Weights: for each panel bias, then [i][j].
template <Spatial of, class Activation>
static void depthwise(const float* x, const float* weights, float* y, float* mean) {
  for (int panel = 0; panel < of.panels; ++panel) {
    vec total{};
    for (int row = 0; row < of.out.height; ++row) {
      const float* from = x + panel * of.in.panel + row * of.stride * of.in.row;
      float* to = y + panel * of.out.panel + row * of.out.row;
      vec sum{};
      in_tiles<of.out.width, most_outputs(of.kernel)>([&](auto p, int count, int first) {
        sum = sum + slide<decltype(p)::value, of.kernel, of.stride, Activation>(
                        from + first * of.stride * LANES, of.in.row, weights, to + first * LANES, count);
      });
      total = total + sum;
    }
    if (of.mean) store(mean + panel * LANES, total * (1.0f / (of.out.height * of.out.width)));
    weights += (1 + of.kernel * of.kernel) * LANES;
  }
}

}  // namespace triscale
