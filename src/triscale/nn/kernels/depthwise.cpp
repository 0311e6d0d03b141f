// Depthwise convolution in channels-last memory, forward and backward, for sixteen channels of one picture at a time.
// A row is read once, widened to float and kept between zeros, so that no tap looks for the border.
#include <algorithm>

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
void forward_row(const vec* const* rows, const vec* taps, vec* y, long count) {
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
void backward_row(const vec* x, const vec* g, const vec* taps, vec* dx, vec* dtaps, long count) {
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

void load_taps(const float* taps, const Shape& p, long channel, int lanes, vec* to) {
  for (long i = 0; i < p.k * p.k; ++i) to[i] = load(taps + i * p.c + channel, lanes);
}

template <class T>
void forward(const Shape& p, const T* x, int activation, const float* scale, const float* shift, const float* taps,
             T* y, float* moments, int threads) {
  const ForwardRow convolve = forward_of(p.k, p.s);
  const Read read = reader<T>(activation);
  const long width = p.padded(), tasks = p.n * p.blocks();
#pragma omp parallel num_threads(threads)
  {
    const Buffer ring(p.k * width), weights(p.k * p.k), out(p.outputs());
#pragma omp for schedule(static)
    for (long task = 0; task < tasks; ++task) {
      const long picture = task / p.blocks(), channel = task % p.blocks() * LANES;
      const int lanes = (int)std::min<long>(LANES, p.c - channel);
      const vec by = scale ? load(scale + channel, lanes) : vec{}, plus = shift ? load(shift + channel, lanes) : vec{};
      load_taps(taps, p, channel, lanes, weights + 0);
      Moments sums = {};
      for (long o = 0, next = 0; o < p.oh; ++o) {
        const long first = o * p.s - p.top;
        const vec* rows[7];
        for (next = std::max(next, std::max(0L, first)); next < std::min(p.h, first + p.k); ++next)
          read(x + ((picture * p.h + next) * p.w) * p.c + channel, p.w, p.c, lanes, by, plus,
               ring + (next % p.k) * width + p.left, nullptr);
        for (long i = 0; i < p.k; ++i) {
          const long row = first + i;
          rows[i] = row >= 0 && row < p.h ? ring + (row % p.k) * width : nullptr;
        }
        convolve(rows, weights + 0, out + 0, p.outputs());
        if (o == 0) {
          for (long i = 0; i < p.ow; ++i) sums.shift += *(out + i);
          sums.shift /= (float)p.ow;
        }
        write_plain<T>(out + 0, p.ow, p.c, lanes, y + ((picture * p.oh + o) * p.ow) * p.c + channel,
                       moments ? &sums : nullptr);
      }
      if (moments) {
        float* to = moments + picture * 2 * p.c + channel;
        const vec above = sums.sum / (float)(p.oh * p.ow);
        store(to, sums.shift + above, lanes), store(to + p.c, sums.squares - above * sums.sum, lanes);
      }
    }
  }
}

// What comes before the convolution: norm and activation, whose gradient is taken here too.
struct Before {
  int activation;
  const float *scale, *shift, *mean;
};
// What comes after: the norm, as far as its gradient is affine in g and y.
struct After {
  const float *of_g, *of_y, *constant;
};

template <class T>
void backward(const Shape& p, const T* x, Before before, const T* g, const T* y, After after, const float* taps, T* dx,
              float* dtaps, float* sums, int threads) {
  const BackwardRow convolve = backward_of(p.k, p.s);
  const Read read = reader<T>(before.activation);
  const long width = p.padded(), tasks = p.n * p.blocks();
#pragma omp parallel num_threads(threads)
  {
    const Buffer ring(p.k * p.outputs()), weights(p.k * p.k), gradients(p.k * p.k), row(width), slope(width), to(width);
#pragma omp for schedule(static)
    for (long task = 0; task < tasks; ++task) {
      const long picture = task / p.blocks(), channel = task % p.blocks() * LANES;
      const int lanes = (int)std::min<long>(LANES, p.c - channel);
      const bool normed = before.activation != NOTHING;
      const vec by = normed ? load(before.scale + channel, lanes) : vec{};
      const vec plus = normed ? load(before.shift + channel, lanes) : vec{};
      const vec mean = normed ? load(before.mean + channel, lanes) : vec{};
      vec total = {}, product = {};
      load_taps(taps, p, channel, lanes, weights + 0);
      std::memset((void*)(gradients + 0), 0, sizeof(vec) * p.k * p.k);
      for (long i = 0, next = 0; i < p.h; ++i) {
        const T* in = x + ((picture * p.h + i) * p.w) * p.c + channel;
        read(in, p.w, p.c, lanes, by, plus, row + p.left, normed ? slope + p.left : nullptr);
        std::memset((void*)(to + 0), 0, sizeof(vec) * width);
        for (; next < std::min(p.oh, (i + p.top) / p.s + 1); ++next) {
          const long at = ((picture * p.oh + next) * p.ow) * p.c + channel;
          vec* into = ring + (next % p.k) * p.outputs();
          read_plain<T>(g + at, p.ow, p.c, lanes, vec{}, vec{}, into, nullptr);
          if (y) {
            const vec a = load(after.of_g + channel, lanes), b = load(after.of_y + channel, lanes);
            const vec c = load(after.constant + channel, lanes);
            for (long j = 0; j < p.ow; ++j) into[j] = into[j] * a + (load(y + at + j * p.c, lanes) * b + c);
          }
        }
        for (long tap = 0; tap < p.k; ++tap) {
          const long above = i + p.top - tap;
          if (above < 0 || above % p.s || above / p.s >= p.oh) continue;
          convolve(row + 0, ring + (above / p.s % p.k) * p.outputs(), weights + tap * p.k, to + 0,
                   gradients + tap * p.k, p.outputs());
        }
        vec* d = to + p.left;
        if (normed)
          for (long j = 0; j < p.w; ++j) {
            d[j] *= *(slope + (p.left + j));
            total += d[j], product += d[j] * (load(in + j * p.c, lanes) - mean);
          }
        write_plain<T>(d, p.w, p.c, lanes, dx + ((picture * p.h + i) * p.w) * p.c + channel, nullptr);
      }
      float* kept = dtaps + picture * p.k * p.k * p.c + channel;
      for (long i = 0; i < p.k * p.k; ++i) store(kept + i * p.c, *(gradients + i), lanes);
      if (normed) {
        store(sums + picture * 2 * p.c + channel, total, lanes);
        store(sums + (picture * 2 + 1) * p.c + channel, product, lanes);
      }
    }
  }
}

}  // namespace
}  // namespace triscale

using namespace triscale;

extern "C" void depthwise_forward(const long* shape, int type, const void* x, int activation, const float* scale,
                                  const float* shift, const float* taps, void* y, float* moments, int threads) {
  const Shape& p = *(const Shape*)shape;
  if (type == FLOAT)
    forward(p, (const float*)x, activation, scale, shift, taps, (float*)y, moments, threads);
  else
    forward(p, (const bfloat16*)x, activation, scale, shift, taps, (bfloat16*)y, moments, threads);
}

extern "C" void depthwise_backward(const long* shape, int type, const void* x, int activation, const float* scale,
                                   const float* shift, const float* mean, const void* g, const void* y,
                                   const float* of_g, const float* of_y, const float* constant, const float* taps,
                                   void* dx, float* dtaps, float* sums, int threads) {
  const Shape& p = *(const Shape*)shape;
  const Before before = {activation, scale, shift, mean};
  const After after = {of_g, of_y, constant};
  if (type == FLOAT)
    backward(p, (const float*)x, before, (const float*)g, (const float*)y, after, taps, (float*)dx, dtaps, sums, threads);
  else
    backward(p, (const bfloat16*)x, before, (const bfloat16*)g, (const bfloat16*)y, after, taps, (bfloat16*)dx, dtaps,
             sums, threads);
}
