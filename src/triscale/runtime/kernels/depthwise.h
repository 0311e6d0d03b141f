// Convolutions of each channel by itself: a tile of outputs stays in registers over the rows of the kernel.
#pragma once
#include "convolve.h"

namespace triscale {

struct Spatial {
  int kernel, stride, panels, top, left;
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

// `count` tiles of P outputs of one row, from the rows `begin` to `end` of the kernel; returns their sum.
template <int P, int K, int S, class Activation>
__attribute__((noinline)) vec slide(const float* const* rows, int begin, int end, int first, const float* weights,
                                    float* y, int count) {
  vec total{};
  y += (long)first * LANES;
  for (int tile = 0; tile < count; ++tile, y += P * LANES) {
    vec sums[P];
    const vec bias = load(weights);
    const long at = (long)(first + tile * P) * S * LANES;
    TRISCALE_UNROLL for (int p = 0; p < P; ++p) sums[p] = bias;
#pragma GCC unroll 1
    for (int i = begin; i < end; ++i) slide_row<P, K, S>(sums, rows[i] + at, weights + (1 + i * K) * LANES);
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

// One row of outputs of one panel; `row_of(i)` is row i of the inputs, from the first pixel that the kernel touches.
template <Spatial of, class Activation, class Rows>
TRISCALE_INLINE vec slide_along(int row, Rows row_of, const float* weights, float* y) {
  const int low = row * of.stride - of.top;
  const int begin = low < 0 ? -low : 0, end = low + of.kernel > of.in.height ? of.in.height - low : of.kernel;
  const float* rows[of.kernel];
  for (int i = begin; i < end; ++i) rows[i] = row_of(low + i);
  vec sum{};
  in_tiles<of.out.width, most_outputs(of.kernel)>([&](auto p, int count, int first) {
    sum = sum + slide<decltype(p)::value, of.kernel, of.stride, Activation>(rows, begin, end, first, weights, y, count);
  });
  return sum;
}

// Weights: for each panel bias, then [i][j]. `x` is the map's first pixel; there are zeros to its left and right.
template <Spatial of, class Activation>
static void depthwise(const float* x, const float* weights, float* y, float* mean) {
  for (int panel = 0; panel < of.panels; ++panel, weights += (1 + of.kernel * of.kernel) * LANES) {
    const float* from = x + panel * of.in.panel - of.left * LANES;
    vec total{};
    for (int row = 0; row < of.out.height; ++row)
      total = total + slide_along<of, Activation>(
                          row, [&](int r) { return from + r * of.in.row; }, weights,
                          y + panel * of.out.panel + row * of.out.row);
    if (of.mean) store(mean + panel * LANES, total * (1.0f / (of.out.height * of.out.width)));
  }
}

// A convolution and the depthwise one behind it, some panels at a time: the map between them is a ring of as many rows
// as the kernel has, which stays in the innermost cache. `second.in` is the ring.
template <Convolution first, Spatial second, int N, class Before, class Behind>
static void panels_by_ring(const float* x, const float* weights, const float* taps, float* ring, float* y,
                           float* mean) {
  Product job = product_of<first>(weights, N);
  job.out_panel = second.in.panel;
  vec totals[N]{};
  int have = 0;
  for (int row = 0; row < second.out.height; ++row) {
    const int last = row * second.stride - second.top + second.kernel;
    for (; have < (last < second.in.height ? last : second.in.height); ++have) {
      job.x = x + have * first.stride * first.in.row, job.y = ring + have % second.kernel * second.in.row;
      in_tiles<second.in.width, most_pixels(N)>([&](auto p, int count, int at) {
        product<decltype(p)::value, N, first.stride * first.in.block, Before>(job, count, at);
      });
    }
    for (int n = 0; n < N; ++n) {
      const float* from = ring + n * second.in.panel - second.left * LANES;
      totals[n] = totals[n] + slide_along<second, Behind>(
                                  row, [&](int r) { return from + r % second.kernel * second.in.row; },
                                  taps + n * (1 + second.kernel * second.kernel) * LANES,
                                  y + n * second.out.panel + row * second.out.row);
    }
  }
  if (second.mean)
    for (int n = 0; n < N; ++n) store(mean + n * LANES, totals[n] * (1.0f / (second.out.height * second.out.width)));
}

// `clear` floats from the ring's beginning become zeros, among them those beside its rows.
template <Convolution first, Spatial second, long CLEAR, class Before, class Behind>
static void by_ring(const float* x, const float* weights, const float* taps, float* ring, float* y, float* mean) {
  std::memset(ring - second.left * LANES, 0, sizeof(float) * CLEAR);
  constexpr long each = 1 + (long)first.in_channels * first.kernel * first.kernel;
  for (int panel = 0; panel < second.panels;) {
    float *to = y + panel * second.out.panel, *means = second.mean ? mean + panel * LANES : nullptr;
    const int wide = panel ? first.wide : first.wide_first;
    if (panel) panels_by_ring<first, second, first.wide, Before, Behind>(x, weights, taps, ring, to, means);
    else panels_by_ring<first, second, first.wide_first, Before, Behind>(x, weights, taps, ring, to, means);
    weights += each * wide * LANES, taps += (1 + second.kernel * second.kernel) * wide * LANES;
    panel += wide;
  }
}

}  // namespace triscale
