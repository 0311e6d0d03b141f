// Dense 3x3 convolutions of stride 1 in 16 multiplications for each 4 outputs: Winograd's F(2x2, 3x3). A tile of 4x4
// inputs goes into 16 matrices of tiles x channels; their products with the weights', which are transformed when they are
// packed, make a tile of 2x2 outputs. An output depends on the same inputs as in the plain sum.
#pragma once
#include "convolve.h"

namespace triscale {

constexpr int MATRICES = 16;

// From a matrix to the next, in floats: an odd number of cache lines, so that the 16 places of a tile are in 16 sets.
constexpr long apart(long floats) { return ((floats + 15) / 16 | 1) * 16; }

// The matrices of inputs and of outputs of a block of so many tiles, for `wide` panels of outputs.
constexpr long inputs_apart(const Convolution& of, int tiles) {
  return apart((long)((of.in_channels + LANES - 1) / LANES) * tiles * LANES);
}
constexpr long outputs_apart(int wide, int tiles) { return apart((long)wide * tiles * LANES); }

// One column of a tile of inputs: [d0 - d2, d1 + d2, d2 - d1, d1 - d3].
TRISCALE_INLINE void column_in(const float* x, long row, vec (&c)[4]) {
  const vec a = load(x), b = load(x + row), d = load(x + 2 * row), e = load(x + 3 * row);
  c[0] = a - d, c[1] = b + d, c[2] = d - b, c[3] = b - e;
}

// `count` tiles of one row of tiles of a panel, each into its place in the matrices. Tiles overlap by two columns.
__attribute__((noinline, unused)) static void tiles_in(const float* x, long row, float* v, long apart, int count) {
  vec c[4][4];
  column_in(x, row, c[0]), column_in(x + LANES, row, c[1]);
  for (int tile = 0; tile < count; ++tile, x += 2 * LANES, v += LANES) {
    column_in(x + 2 * LANES, row, c[2]), column_in(x + 3 * LANES, row, c[3]);
    TRISCALE_UNROLL for (int i = 0; i < 4; ++i) {
      store(v + (4 * i + 0) * apart, c[0][i] - c[2][i]);
      store(v + (4 * i + 1) * apart, c[1][i] + c[2][i]);
      store(v + (4 * i + 2) * apart, c[2][i] - c[1][i]);
      store(v + (4 * i + 3) * apart, c[1][i] - c[3][i]);
      c[0][i] = c[2][i], c[1][i] = c[3][i];
    }
  }
}

// `count` tiles of one row of tiles of a panel: [m0 + m1 + m2, m1 - m2 - m3] of columns and then of rows. Of the outputs
// those that the map has: `rows` and `columns` of them.
template <class Activation>
__attribute__((noinline)) void tiles_out(const float* m, long apart, const float* kept, long kept_row, float* y, long row,
                                         int count, int rows, int columns) {
  for (int tile = 0; tile < count; ++tile, m += LANES) {
    vec s[2][4];
    TRISCALE_UNROLL for (int j = 0; j < 4; ++j) {
      const vec a = load(m + j * apart), b = load(m + (4 + j) * apart), c = load(m + (8 + j) * apart),
                d = load(m + (12 + j) * apart);
      s[0][j] = a + b + c, s[1][j] = b - c - d;
    }
    TRISCALE_UNROLL for (int i = 0; i < 2; ++i) {
      const vec pair[2] = {s[i][0] + s[i][1] + s[i][2], s[i][1] - s[i][2] - s[i][3]};
      TRISCALE_UNROLL for (int j = 0; j < 2; ++j) {
        if (i >= rows || 2 * tile + j >= columns) continue;
        const long at = (2L * tile + j) * LANES;
        const vec sum = kept ? pair[j] + load(kept + i * kept_row + at) : pair[j];
        store(y + i * row + at, Activation::of(sum));
      }
    }
  }
}

// f(row, column, at, count): tiles of one row of tiles, and which of the block's is the first of them.
template <int ACROSS, class F>
TRISCALE_INLINE void in_rows_of_tiles(int first, int tiles, F f) {
  for (int at = 0, count; at < tiles; at += count) {
    const int row = (first + at) / ACROSS, column = (first + at) % ACROSS;
    count = ACROSS - column < tiles - at ? ACROSS - column : tiles - at;
    f(row, column, at, count);
  }
}

constexpr int tiles_across(const Convolution& of) { return (of.out.width + 1) / 2; }
constexpr int tiles_down(const Convolution& of) { return (of.out.height + 1) / 2; }

// N panels of outputs of a block of TILES tiles that begins with `first`. ROOM is how many the matrices have room for.
template <Convolution of, int N, class Activation, int TILES, int ROOM>
static void panels_of_tiles(const float* v, const float* weights, float* m, const float* kept, float* y, int first) {
  alignas(64) static constexpr float nothing[N * LANES]{};
  constexpr long in = inputs_apart(of, ROOM), out = outputs_apart(N, ROOM);
  Product job = product_of<of>(weights, N);
  job.rows = job.columns = 1, job.part = panels_in_part(LANES), job.in_panel = job.out_panel = ROOM * LANES;
  for (int k = 0; k < MATRICES; ++k) {
    job.bias = k == 5 ? weights : nothing;  // the one matrix that every output has once, and added
    job.x = v + k * in, job.y = m + k * out;
    in_runs<TILES, most_pixels(N)>([&](auto p, int count, int at) {
      product<decltype(p)::value, N, LANES, is_long(of.in_channels), Identity>(job, count, at);
    });
    job.weights += (long)of.in_channels * N * LANES;
  }
  for (int n = 0; n < N; ++n)
    in_rows_of_tiles<tiles_across(of)>(first, TILES, [&](int row, int column, int at, int count) {
      const float* old = of.residual ? kept + n * of.kept.panel + 2 * row * of.kept.row + 2 * column * LANES : nullptr;
      tiles_out<Activation>(m + (n * ROOM + at) * LANES, out, old, of.kept.row,
                            y + n * of.out.panel + 2 * row * of.out.row + 2 * column * LANES, of.out.row, count,
                            of.out.height - 2 * row < 2 ? 1 : 2, of.out.width - 2 * column);
    });
}

// Some chunks of the outputs of a block.
template <Convolution of, class Activation, int TILES, int ROOM>
static void block_of_tiles(const float* x, const float* weights, const float* kept, float* y, float* own, int first,
                           Part chunks) {
  constexpr int in_panels = (of.in_channels + LANES - 1) / LANES;
  constexpr long in = inputs_apart(of, ROOM);
  for (int panel = 0; panel < in_panels; ++panel)
    in_rows_of_tiles<tiles_across(of)>(first, TILES, [&](int row, int column, int at, int count) {
      tiles_in(x + panel * of.in.panel + 2 * row * of.in.row + 2 * column * LANES, of.in.row,
               own + ((long)panel * ROOM + at) * LANES, in, count);
    });
  for (int chunk = chunks.begin; chunk < chunks.end; ++chunk) {
    const long panel = first_panel(of, chunk);
    const float* w = weights + (1 + (long)of.in_channels * MATRICES) * panel * LANES;
    const float* old = of.residual ? kept + panel * of.kept.panel : nullptr;
    float *m = own + MATRICES * in, *to = y + panel * of.out.panel;
    if (chunk) panels_of_tiles<of, of.wide, Activation, TILES, ROOM>(own, w, m, old, to, first);
    else panels_of_tiles<of, of.wide_first, Activation, TILES, ROOM>(own, w, m, old, to, first);
  }
}

// Weights: for each panels of outputs: bias, then [matrix][channel][outputs]. A tile of the cut is a span of chunks of one
// of its blocks of ROOM tiles (the last may have fewer); whoever has some chunks of a block transforms its inputs, into memory of the thread, OWN floats.
template <Convolution of, class Activation, Cut cut, int ROOM, long OWN>
static void winograd(const float* x, const float* weights, const float* kept, float* y, float* own, Part tiles) {
  constexpr int last = tiles_down(of) * tiles_across(of) - (cut.blocks - 1) * ROOM;
  constexpr int widest = of.wide_first > of.wide ? of.wide_first : of.wide;
  static_assert(0 < last && last <= ROOM && MATRICES * (inputs_apart(of, ROOM) + outputs_apart(widest, ROOM)) <= OWN);
  for (int block = tiles.begin / cut.spans; block * cut.spans < tiles.end; ++block) {
    const int begin = tiles.begin - block * cut.spans, end = tiles.end - block * cut.spans;
    const Part spans{begin < 0 ? 0 : begin, end < cut.spans ? end : cut.spans};
    const Part chunks = part_of(chunks_of(of), cut.spans, spans);
    if (last < ROOM && block + 1 == cut.blocks)
      block_of_tiles<of, Activation, last, ROOM>(x, weights, kept, y, own, block * ROOM, chunks);
    else
      block_of_tiles<of, Activation, ROOM, ROOM>(x, weights, kept, y, own, block * ROOM, chunks);
  }
}

}  // namespace triscale
