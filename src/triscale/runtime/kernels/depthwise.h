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
  in_runs<of.out.width, most_outputs(of.kernel)>([&](auto p, int count, int first) {
    sum = sum + slide<decltype(p)::value, of.kernel, of.stride, Activation>(rows, begin, end, first, weights, y, count);
  });
  return sum;
}

// Where a sum of a panel goes: the mean, or where rows are in blocks the sum of this block, [block][panel].
template <Spatial of, int BLOCKS>
TRISCALE_INLINE void keep_mean(vec total, float* mean, int panel, int block) {
  if constexpr (BLOCKS == 1) total = total * (1.0f / (of.out.height * of.out.width));
  store(mean + (block * of.panels + panel) * LANES, total);
}

// The means, from the sums of blocks; always in the same order.
template <Spatial of, int BLOCKS>
static void add_blocks(const float* sums, float* mean) {
  for (int panel = 0; panel < of.panels; ++panel) {
    vec total{};
    for (int block = 0; block < BLOCKS; ++block) total = total + load(sums + (block * of.panels + panel) * LANES);
    store(mean + panel * LANES, total * (1.0f / (of.out.height * of.out.width)));
  }
}

// Weights: for each panel bias, then [i][j]. `x` is the map's first pixel; there are zeros to its left and right.
template <Spatial of, class Activation, Cut cut>
static void depthwise(const float* x, const float* weights, float* y, float* mean, Part tiles) {
  in_units<of.panels, cut>(tiles, [&](int panel, Part blocks) {
    const float* from = x + panel * of.in.panel - of.left * LANES;
    const float* taps = weights + panel * (1 + of.kernel * of.kernel) * LANES;
    for (int block = blocks.begin; block < blocks.end; ++block) {
      const Part rows = part_of(of.out.height, cut.blocks, {block, block + 1});
      vec total{};
      for (int row = rows.begin; row < rows.end; ++row)
        total = total + slide_along<of, Activation>(
                            row, [&](int r) { return from + r * of.in.row; }, taps,
                            y + panel * of.out.panel + row * of.out.row);
      if constexpr (of.mean) keep_mean<of, cut.blocks>(total, mean, panel, block);
    }
  });
}

// Zeros beside the rows of N panels of a ring.
template <Spatial of, int N>
static void clear_sides(float* ring) {
  constexpr long left = of.left * LANES, right = of.in.row - left - (long)of.in.width * LANES;
  for (int n = 0; n < N; ++n)
    for (int row = 0; row < of.kernel; ++row) {
      float* at = ring + n * of.in.panel + row * of.in.row;
      std::memset(at - left, 0, sizeof(float) * left);
      std::memset(at + of.in.width * LANES, 0, sizeof(float) * right);
    }
}

// A convolution and the depthwise one behind it, N panels at a time: the map between them is a ring of as many rows as
// the kernel has, which stays in the innermost cache. `second.in` is the ring. Only the first of the blocks of rows may
// make rows again that another thread made for the block before.
template <Convolution first, Spatial second, int N, class Before, class Behind, int BLOCKS>
static void panels_by_ring(const float* x, const float* weights, const float* taps, float* ring, float* y, float* mean,
                           int panel, Part blocks) {
  Product job = product_of<first>(weights, N);
  job.out_panel = second.in.panel;
  clear_sides<second, N>(ring);
  int have = part_of(second.out.height, BLOCKS, blocks).begin * second.stride - second.top;
  have = have < 0 ? 0 : have;
  for (int block = blocks.begin; block < blocks.end; ++block) {
    const Part rows = part_of(second.out.height, BLOCKS, {block, block + 1});
    vec totals[N]{};
    for (int row = rows.begin; row < rows.end; ++row) {
      const int last = row * second.stride - second.top + second.kernel;
      for (; have < (last < second.in.height ? last : second.in.height); ++have) {
        job.x = x + have * first.stride * first.in.row, job.y = ring + have % second.kernel * second.in.row;
        in_runs<second.in.width, most_pixels(N)>([&](auto p, int count, int at) {
          product<decltype(p)::value, N, first.stride * first.in.block, is_long(first), Before>(job, count, at);
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
    if constexpr (second.mean)
      for (int n = 0; n < N; ++n) keep_mean<second, BLOCKS>(totals[n], mean, panel + n, block);
  }
}

// Each thread has a ring of its own.
template <Convolution first, Spatial second, class Before, class Behind, Cut cut>
static void by_ring(const float* x, const float* weights, const float* taps, float* ring, float* y, float* mean,
                    Part tiles) {
  constexpr long each = 1 + (long)first.in_channels * first.kernel * first.kernel;
  in_units<chunks_of(first), cut>(tiles, [&](int chunk, Part blocks) {
    const int panel = first_panel(first, chunk);
    const float *w = weights + each * panel * LANES, *t = taps + (1 + second.kernel * second.kernel) * panel * LANES;
    float* to = y + panel * second.out.panel;
    if (chunk) panels_by_ring<first, second, first.wide, Before, Behind, cut.blocks>(x, w, t, ring, to, mean, panel, blocks);
    else panels_by_ring<first, second, first.wide_first, Before, Behind, cut.blocks>(x, w, t, ring, to, mean, panel, blocks);
  });
}

}  // namespace triscale
