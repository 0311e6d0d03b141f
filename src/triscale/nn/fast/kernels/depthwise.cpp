// Depthwise convolution in channels-last memory, forward and backward, for a vector of channels of one picture at a time.
// A row is read once, widened to float and kept between zeros, so that no tap looks for the border.
#include <algorithm>
#include <memory>
#include <vector>

#include "rows.h"

namespace triscale {
namespace {

constexpr int TILE = 4;  // outputs side by side share what they load

struct Shape {
  long n, c, h, w, oh, ow, k, s, top, left;
  long blocks() const { return (c + LANES - 1) / LANES; }
  long outputs() const { return (ow + TILE - 1) / TILE * TILE; }
  long padded() const { return std::max(left + w, outputs() * s + k); }
};

// rows[i]: the padded row under tap row i, or null where that lies outside the map.
template <int K, int S>
void forward_row(const vec* const* rows, const vec* __restrict taps, vec* __restrict y, long count) {
  constexpr int span = (TILE - 1) * S + K;
  for (long o = 0; o < count; o += TILE) {
    vec sums[TILE] = {};
    for (int i = 0; i < K; ++i) {
      if (!rows[i]) continue;
      const vec* x = rows[i] + o * S;
#pragma GCC unroll 16
      for (int j = 0; j < span; ++j) {
        const vec v = x[j];
#pragma GCC unroll 4
        for (int t = 0; t < TILE; ++t)
          if (j - t * S >= 0 && j - t * S < K) sums[t] += v * taps[i * K + j - t * S];
      }
    }
    for (int t = 0; t < TILE; ++t) y[o + t] = sums[t];
  }
}

// One row of taps: adds to the gradient of the padded input row, and to that of the taps.
template <int K, int S>
void backward_row(const vec* __restrict x, const vec* __restrict g, const vec* __restrict taps, vec* __restrict dx,
                  vec* __restrict dtaps, long count) {
  constexpr int span = (TILE - 1) * S + K;
  vec sums[K];
  for (int i = 0; i < K; ++i) sums[i] = dtaps[i];
  for (long o = 0; o < count; o += TILE) {
    const vec given[TILE] = {g[o], g[o + 1], g[o + 2], g[o + 3]};
#pragma GCC unroll 16
    for (int j = 0; j < span; ++j) {
      const vec v = x[o * S + j];
      vec d = dx[o * S + j];
#pragma GCC unroll 4
      for (int t = 0; t < TILE; ++t)
        if (j - t * S >= 0 && j - t * S < K) {
          d += given[t] * taps[j - t * S];
          sums[j - t * S] += v * given[t];
        }
      dx[o * S + j] = d;
    }
  }
  for (int i = 0; i < K; ++i) dtaps[i] = sums[i];
}

typedef void (*ForwardRow)(const vec* const*, const vec*, vec*, long);
typedef void (*BackwardRow)(const vec*, const vec*, const vec*, vec*, vec*, long);

ForwardRow forward_of(long k, long s) {
  if (s == 1) return k == 3 ? forward_row<3, 1> : k == 5 ? forward_row<5, 1> : forward_row<7, 1>;
  return k == 3 ? forward_row<3, 2> : k == 5 ? forward_row<5, 2> : forward_row<7, 2>;
}
BackwardRow backward_of(long k, long s) {
  if (s == 1) return k == 3 ? backward_row<3, 1> : k == 5 ? backward_row<5, 1> : backward_row<7, 1>;
  return k == 3 ? backward_row<3, 2> : k == 5 ? backward_row<5, 2> : backward_row<7, 2>;
}

// What comes before the convolution: a norm as scale and shift, and its activation; or nothing.
struct Before {
  int activation;
  const float *scale, *shift, *mean;
};
// What comes after: the norm as scale and shift, its activation, each picture's gate and the gradient by way of its
// pooling where it has them; and the norm's gradient, which is affine in that of its output and in y. Or nulls.
struct After {
  int activation;
  const float *scale, *shift, *gates, *pools, *of_g, *of_y, *constant;
};

// A vector of channels of a picture on their way through the rows.
struct Block {
  const Shape& p;
  long picture = 0, channel = 0;
  int lanes = 0;
  vec scale = {}, shift = {};
  Buffer taps;

  explicit Block(const Shape& p) : p(p), taps(p.k * p.k) {}
  void begin(const float* all_taps, const Before& before, long of_picture, long of_channel) {
    picture = of_picture, channel = of_channel, lanes = (int)std::min<long>(LANES, p.c - channel);
    if (before.scale) scale = load(before.scale + channel, lanes), shift = load(before.shift + channel, lanes);
    for (long i = 0; i < p.k * p.k; ++i) taps[i] = load(all_taps + i * p.c + channel, lanes);
  }
  long input(long row) const { return (picture * p.h + row) * p.w * p.c + channel; }
  long output(long row) const { return (picture * p.oh + row) * p.ow * p.c + channel; }
};

template <class T>
struct Forward : Block {
  const T* x;
  Before before;
  T* y;
  float* moments;  // [n, 2, c]: mean, squares about it
  Read read;
  ForwardRow convolve;
  long next = 0;
  Moments sums = {};
  Buffer ring, out;

  Forward(const Shape& p, const T* x, Before before, T* y, float* moments)
      : Block(p), x(x), before(before), y(y), moments(moments), read(reader<T>(before.activation)),
        convolve(forward_of(p.k, p.s)), ring(p.k * p.padded()), out(p.outputs()) {}
  void begin(const float* all_taps, long picture, long channel) {
    Block::begin(all_taps, before, picture, channel);
    next = 0, sums = Moments{};
  }
  void row(long o) {
    const long first = o * p.s - p.top, width = p.padded();
    for (next = std::max(next, first); next < std::min(p.h, first + p.k); ++next)
      read(x + input(next), p.w, p.c, lanes, scale, shift, ring + (next % p.k * width + p.left), nullptr);
    const vec* rows[7];
    for (long i = 0; i < p.k; ++i)
      rows[i] = first + i >= 0 && first + i < p.h ? ring + (first + i) % p.k * width : nullptr;
    convolve(rows, taps + 0, out + 0, p.outputs());
    if (o == 0) {
      for (long i = 0; i < p.ow; ++i) sums.shift += out[i];
      sums.shift /= (float)p.ow;
    }
    write_plain<T>(out + 0, p.ow, p.c, lanes, y + output(o), moments ? &sums : nullptr);
  }
  void end() {
    if (!moments) return;
    float* to = moments + picture * 2 * p.c + channel;
    const vec above = sums.sum / (float)(p.oh * p.ow);
    store(to, sums.shift + above, lanes), store(to + p.c, sums.squares - above * sums.sum, lanes);
  }
};

template <class T>
struct Backward : Block {
  const T *x, *g, *y;
  Before before;
  After after;
  T* dx;
  float *dtaps, *sums;  // [n, k * k, c]; [n, 2, c]: of the gradient, and of it times x above its mean
  Read read;
  Through through;
  BackwardRow convolve;
  long next = 0;
  vec mean = {}, total = {}, product = {};
  NormGradient norm = {};
  Buffer ring, gradients, in, slope, to;

  Backward(const Shape& p, const T* x, Before before, const T* g, const T* y, After after, T* dx, float* dtaps,
           float* sums)
      : Block(p), x(x), g(g), y(y), before(before), after(after), dx(dx), dtaps(dtaps), sums(sums),
        read(reader<T>(before.activation)), through(reader_through<T>(after.activation)),
        convolve(backward_of(p.k, p.s)), ring(p.k * p.outputs()),
        gradients(p.k * p.k), in(p.padded()), slope(p.w), to(p.padded()) {}
  void begin(const float* all_taps, long picture, long channel) {
    Block::begin(all_taps, before, picture, channel);
    next = 0, total = product = vec{};
    gradients.clear();
    if (before.mean) mean = load(before.mean + channel, lanes);
    if (y) norm = norm_of();
  }
  NormGradient norm_of() const {
    const auto of = [&](const float* values) { return load(values + channel, lanes); };
    NormGradient n = {of(after.scale), of(after.shift), all(1.0f), vec{}, of(after.of_g), of(after.of_y), of(after.constant)};
    if (after.gates) n.gate = of(after.gates + picture * p.c), n.pool = of(after.pools + picture * p.c);
    return n;
  }
  void read_gradient(long row) {
    vec* into = ring + row % p.k * p.outputs();
    if (y) through(g + output(row), y + output(row), p.ow, p.c, lanes, norm, into);
    else read_plain<T>(g + output(row), p.ow, p.c, lanes, vec{}, vec{}, into, nullptr);
  }
  void row(long i) {
    read(x + input(i), p.w, p.c, lanes, scale, shift, in + p.left, slope + 0);
    to.clear();
    for (; next < std::min(p.oh, (i + p.top) / p.s + 1); ++next) read_gradient(next);
    for (long tap = 0; tap < p.k; ++tap) {
      const long above = i + p.top - tap, o = above / p.s;
      if (above >= 0 && above % p.s == 0 && o < p.oh)
        convolve(in + 0, ring + o % p.k * p.outputs(), taps + tap * p.k, to + 0, gradients + tap * p.k, p.outputs());
    }
    if (before.mean) through_activation(x + input(i), to + p.left);
    write_plain<T>(to + p.left, p.w, p.c, lanes, dx + input(i), nullptr);
  }
  void through_activation(const T* of, vec* d) {
    for (long j = 0; j < p.w; ++j) {
      d[j] *= slope[j];
      total += d[j], product += d[j] * (load(of + j * p.c, lanes) - mean);
    }
  }
  void end() {
    for (long i = 0; i < p.k * p.k; ++i) store(dtaps + (picture * p.k * p.k + i) * p.c + channel, gradients[i], lanes);
    if (!before.mean) return;
    store(sums + picture * 2 * p.c + channel, total, lanes);
    store(sums + (picture * 2 + 1) * p.c + channel, product, lanes);
  }
};

// All pictures, shared out among threads. The blocks of a picture go through its rows side by side, so that memory is
// read in its order; each is done in the same way whoever does it.
template <class Make>
void each_picture(const Shape& p, long rows, const float* taps, int threads, Make make) {
  const long size = p.n >= threads ? p.blocks() : 2, groups = (p.blocks() + size - 1) / size;
#pragma omp parallel num_threads(threads)
  {
    std::vector<decltype(make())> blocks;
    for (long b = 0; b < size; ++b) blocks.push_back(make());
#pragma omp for schedule(static)
    for (long task = 0; task < p.n * groups; ++task) {
      const long picture = task / groups, first = task % groups * size;
      const long count = std::min(size, p.blocks() - first);
      for (long b = 0; b < count; ++b) blocks[b]->begin(taps, picture, (first + b) * LANES);
      for (long row = 0; row < rows; ++row)
        for (long b = 0; b < count; ++b) blocks[b]->row(row);
      for (long b = 0; b < count; ++b) blocks[b]->end();
    }
  }
}

}  // namespace
}  // namespace triscale

using namespace triscale;

extern "C" void depthwise_forward(const long* shape, int type, const void* x, int activation, const float* scale,
                                  const float* shift, const float* taps, void* y, float* moments, int threads) {
  const Shape& p = *(const Shape*)shape;
  const Before before = {activation, scale, shift, nullptr};
  with_type(type, [&](auto t) {
    typedef decltype(t) T;
    each_picture(p, p.oh, taps, threads, [&] { return std::make_unique<Forward<T>>(p, (const T*)x, before, (T*)y, moments); });
  });
}

extern "C" void depthwise_backward(const long* shape, int type, const void* x, int activation, const float* scale,
                                   const float* shift, const float* mean, const void* g, const void* y,
                                   int activation_after, const float* scale_after, const float* shift_after,
                                   const float* gates, const float* pools, const float* of_g, const float* of_y,
                                   const float* constant, const float* taps, void* dx, float* dtaps, float* sums,
                                   int threads) {
  const Shape& p = *(const Shape*)shape;
  const Before before = {activation, scale, shift, mean};
  const After after = {activation_after, scale_after, shift_after, gates, pools, of_g, of_y, constant};
  with_type(type, [&](auto t) {
    typedef decltype(t) T;
    each_picture(p, p.h, taps, threads, [&] {
      return std::make_unique<Backward<T>>(p, (const T*)x, before, (const T*)g, (const T*)y, after, (T*)dx, dtaps, sums);
    });
  });
}
