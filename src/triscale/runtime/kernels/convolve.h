// Convolutions as products: a tile of pixels times panels of output channels stays in registers over all input channels.
#pragma once
#include <cstring>

#include "tiles.h"

namespace triscale {

// The sizes of one convolution. `wide` panels of outputs are made at a time, the first time `wide_first`.
struct Convolution {
  int kernel, stride, groups, in_channels, out_channels, wide_first, wide;
  Lie in, out;
  bool residual;
  Lie kept;
};

// One run of pixels of a row, for some panels of outputs. In planes, the kernel's columns are what channels are in panels.
struct Product {
  const float *x, *weights, *bias, *kept;
  float* y;
  int in_panels, rows, columns, channels, last_channels, part;
  long in_row, in_panel, out_panel, kept_panel;
};

// Sums of a tile leave some registers to weights, and to the constants of an activation.
constexpr int most_pixels(int wide) {
  return REGISTERS > 16 ? (wide == 1 ? 24 : (REGISTERS - wide - 2) / wide) : (REGISTERS - wide - 1) / wide;
}

// How many channels ahead weights are fetched: they are read once in each run of tiles, and may come from memory.
constexpr int AHEAD = 24, LINE = 64 / sizeof(float);

// Where a panel is narrower than a line, the next one is needed after few channels, and lies in another page.
constexpr bool FETCHES_PANELS = LANES < LINE;

template <int P, int N, int STEP>
TRISCALE_INLINE void multiply_one(vec (&sums)[P][N], const float* x, const float* w) {
  vec b[N];
  TRISCALE_UNROLL for (int n = 0; n < N; ++n) {
    b[n] = load(w + n * LANES);
    if (n * LANES % LINE == 0) __builtin_prefetch(w + (n + AHEAD * N) * LANES);
  }
  TRISCALE_UNROLL for (int p = 0; p < P; ++p) {
    const vec a = all(x[p * STEP]);
    TRISCALE_UNROLL for (int n = 0; n < N; ++n) sums[p][n] = fma(a, b[n], sums[p][n]);
  }
}

// One plain loop: another one for whole panels would make the compiler move all sums between the two.
template <int P, int N, int STEP>
TRISCALE_INLINE void multiply(vec (&sums)[P][N], const float* x, const float* w, int channels) {
#pragma GCC unroll 1
  for (int c = 0; c < channels; ++c) multiply_one<P, N, STEP>(sums, x + c, w + c * N * LANES);
}

// Rounding errors grow with the sums that they are made in, so what has many inputs is the sum of parts of so many.
constexpr int PART = 256;

constexpr bool is_long(int inputs) { return inputs > 2 * PART; }
constexpr bool is_long(const Convolution& of) { return is_long(of.in_channels / of.groups * of.kernel * of.kernel); }

// Panels of inputs in a part, where each has so many inputs.
constexpr int panels_in_part(int inputs) { return inputs < PART ? PART / inputs : 1; }

// A part joins those before it, which wait in memory.
template <int P, int N>
TRISCALE_INLINE void end_part(vec (&sums)[P][N], float* parts) {
  asm volatile("" : : "r"(parts) : "memory");  // registers are for what is summed
  TRISCALE_UNROLL for (int p = 0; p < P; ++p) TRISCALE_UNROLL for (int n = 0; n < N; ++n) {
    float* const at = parts + (p * N + n) * LANES;
    store(at, load(at) + sums[p][n]);
    sums[p][n] = vec{};
  }
  asm volatile("" : : "r"(parts) : "memory");
}

// `count` tiles of P pixels that lie STEP floats apart, N panels of outputs.
template <int P, int N, int STEP, bool LONG, class Activation>
__attribute__((noinline)) void product(const Product& job, int count, int first) {
  const float* x = job.x + (long)first * STEP;
  for (int tile = 0; tile < count; ++tile, x += P * STEP) {
    const long at = (long)(first + tile * P) * LANES;
    vec sums[P][N];
    TRISCALE_UNROLL for (int n = 0; n < N; ++n) {
      const vec bias = load(job.bias + n * LANES);
      TRISCALE_UNROLL for (int p = 0; p < P; ++p) sums[p][n] = bias;
    }
    alignas(64) float parts[LONG ? P * N * LANES : 1] = {};
    int left = job.part;
    const float* w = job.weights;
    for (int panel = 0; panel < job.in_panels; ++panel) {
      if constexpr (LONG)
        if (left-- == 0) end_part(sums, parts), left = job.part - 1;
      const int channels = panel + 1 < job.in_panels ? job.channels : job.last_channels;
      const float* from = x + panel * job.in_panel;
      if constexpr (FETCHES_PANELS)
        TRISCALE_UNROLL for (int p = 0; p < P * STEP; p += LINE) __builtin_prefetch(from + job.in_panel + p);
      for (int i = 0; i < job.rows; ++i, from += job.in_row)
        for (int j = 0; j < job.columns; ++j, w += channels * N * LANES)
          multiply<P, N, STEP>(sums, from + j * LANES, w, channels);
    }
    if constexpr (LONG)
      TRISCALE_UNROLL for (int p = 0; p < P; ++p) TRISCALE_UNROLL for (int n = 0; n < N; ++n)
        sums[p][n] = load(parts + (p * N + n) * LANES) + sums[p][n];
    if (job.kept)
      TRISCALE_UNROLL for (int n = 0; n < N; ++n) TRISCALE_UNROLL for (int p = 0; p < P; ++p)
        sums[p][n] = sums[p][n] + load(job.kept + n * job.kept_panel + at + p * LANES);
    TRISCALE_UNROLL for (int n = 0; n < N; ++n) TRISCALE_UNROLL for (int p = 0; p < P; ++p)
      store(job.y + n * job.out_panel + at + p * LANES, Activation::of(sums[p][n]));
  }
}

// Rows that follow one another without a gap are one long row.
constexpr bool is_flat(const Lie& lie) { return lie.row == (long)lie.width * lie.block; }

template <Convolution of, int N, class Activation, int BLOCKS>
static void panels_of_outputs(Product job, const float* x, const float* kept, float* y, Part blocks) {
  constexpr bool flat = of.kernel == 1 && of.stride == 1 && is_flat(of.in) && is_flat(of.out) &&
                        (!of.residual || is_flat(of.kept));
  if constexpr (flat) {
    constexpr int pixels = of.out.width * of.out.height, most = most_pixels(N);
    job.x = x, job.y = y, job.kept = of.residual ? kept : nullptr;
    in_runs<pixels, most>(part_of(runs_in(pixels, most), BLOCKS, blocks), [&](auto p, int count, int first) {
      product<decltype(p)::value, N, of.stride * of.in.block, is_long(of), Activation>(job, count, first);
    });
  } else {
    const Part rows = part_of(of.out.height, BLOCKS, blocks);
    for (int row = rows.begin; row < rows.end; ++row) {
      job.x = x + row * of.stride * of.in.row;
      job.y = y + row * of.out.row;
      job.kept = of.residual ? kept + row * of.kept.row : nullptr;
      in_runs<of.out.width, most_pixels(N)>([&](auto p, int count, int first) {
        product<decltype(p)::value, N, of.stride * of.in.block, is_long(of), Activation>(job, count, first);
      });
    }
  }
}

// What all rows of `wide` panels of outputs share.
template <Convolution of>
TRISCALE_INLINE Product product_of(const float* weights, int wide) {
  constexpr int inputs = of.in_channels / of.groups, block = of.in.block, in_panels = (inputs + block - 1) / block;
  Product job{};
  job.bias = weights, job.weights = weights + wide * LANES;
  job.in_panels = in_panels, job.rows = of.kernel, job.columns = block == 1 ? 1 : of.kernel;
  job.channels = block == 1 ? of.kernel : block, job.part = panels_in_part(block * of.kernel * of.kernel);
  job.last_channels = block == 1 ? of.kernel : inputs - (in_panels - 1) * block;
  job.in_row = of.in.row, job.in_panel = of.in.panel, job.out_panel = of.out.panel, job.kept_panel = of.kept.panel;
  return job;
}

// How many times some panels of outputs are made.
constexpr int chunks_of(const Convolution& of) {
  return 1 + ((of.out_channels / of.groups + LANES - 1) / LANES - of.wide_first) / of.wide;
}

// The first panel of the outputs of a chunk.
constexpr int first_panel(const Convolution& of, int chunk) { return chunk ? of.wide_first + (chunk - 1) * of.wide : 0; }

// Weights: for each group, for each panels of outputs: bias, then [panel of inputs][i][j][channel][outputs].
template <Convolution of, class Activation, Cut cut>
static void convolve(const float* x, const float* weights, const float* kept, float* y, Part tiles) {
  constexpr int inputs = of.in_channels / of.groups, outputs = of.out_channels / of.groups, chunks = chunks_of(of);
  constexpr int in_panels = (inputs + of.in.block - 1) / of.in.block, panels = (outputs + LANES - 1) / LANES;
  constexpr long each = 1 + (long)inputs * of.kernel * of.kernel;
  in_units<of.groups * chunks, cut>(tiles, [&](int unit, Part blocks) {
    const int group = unit / chunks, chunk = unit % chunks, wide = chunk ? of.wide : of.wide_first;
    const long out = (long)group * panels + first_panel(of, chunk);
    const Product job = product_of<of>(weights + each * out * LANES, wide);
    const float* from = x + (long)group * in_panels * of.in.panel;
    const float* old = of.residual ? kept + out * of.kept.panel : nullptr;
    float* to = y + out * of.out.panel;
    if (chunk) panels_of_outputs<of, of.wide, Activation, cut.blocks>(job, from, old, to, blocks);
    else panels_of_outputs<of, of.wide_first, Activation, cut.blocks>(job, from, old, to, blocks);
  });
}

// The weights of a 1x1 convolution times the gate of its inputs.
template <Convolution of, Cut cut>
static void gate_weights(const float* weights, const float* gate, float* gated, Part tiles) {
  in_units<chunks_of(of), cut>(tiles, [&](int chunk, Part) {
    const int wide = chunk ? of.wide : of.wide_first;
    const long begin = (1L + of.in_channels) * first_panel(of, chunk) * LANES;
    const float* w = weights + begin;
    float* to = gated + begin;
    std::memcpy(to, w, sizeof(float) * wide * LANES);
    for (int channel = 0; channel < of.in_channels; ++channel) {
      w += wide * LANES, to += wide * LANES;
      for (int n = 0; n < wide * LANES; n += LANES) store(to + n, load(w + n) * gate[channel]);
    }
  });
}

// Groups that are no whole panels: the inputs of each lane are gathered. `offsets` has [panel][input][lane].
template <Convolution of, class Activation, Cut cut>
static void convolve_gathered(const float* x, const float* weights, const int* offsets, const float* kept, float* y,
                              Part tiles) {
  constexpr int inputs = of.in_channels / of.groups, panels = (of.out_channels + LANES - 1) / LANES;
  in_units<panels, cut>(tiles, [&](int panel, Part blocks) {
    const Part rows = part_of(of.out.height, cut.blocks, blocks);
    for (int row = rows.begin; row < rows.end; ++row)
      for (int column = 0; column < of.out.width; ++column) {
        const float* w = weights + (long)panel * (1 + of.kernel * of.kernel * inputs) * LANES;
        vec sum = load(w);
        w += LANES;
        for (int i = 0; i < of.kernel; ++i)
          for (int j = 0; j < of.kernel; ++j) {
            const float* from = x + (row * of.stride + i) * of.in.row + (column * of.stride + j) * LANES;
            for (int c = 0; c < inputs; ++c, w += LANES) {
              const int* lanes = offsets + (panel * inputs + c) * LANES;
              vec a{};
              for (int lane = 0; lane < LANES; ++lane) a[lane] = from[lanes[lane]];
              sum = fma(a, load(w), sum);
            }
          }
        if (of.residual) sum = sum + load(kept + panel * of.kept.panel + row * of.kept.row + column * LANES);
        store(y + panel * of.out.panel + row * of.out.row + column * LANES, Activation::of(sum));
      }
  });
}

}  // namespace triscale
