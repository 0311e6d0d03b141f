// One row of a map for a vector of channels, as floats between zeros: how it is read, and how it is written.
#pragma once
#include <cstdlib>

#include "lanes.h"

namespace triscale {

enum { FLOAT = 0, BFLOAT16 = 1 };
enum { NOTHING = 0, IDENTITY, RELU, RELU6, SILU, HARD_SWISH };

// Sums of a channel about a value near its mean, so that squares do not cancel.
struct Moments {
  vec shift, sum, squares;
};

// How many values ahead of a row's pixels memory is fetched, for the next channels: a stride of pixels is farther than
// the processor looks by itself.
constexpr long AHEAD = 32;

// `count` pixels, `stride` values apart; with `scale` and `shift` the norm that comes before, then its activation.
typedef void (*Read)(const void* x, long count, long stride, int lanes, vec scale, vec shift, vec* y, vec* slope);
typedef void (*Write)(const vec* y, long count, long stride, int lanes, void* out, Moments* moments);

template <class T>
static void read_plain(const void* x, long count, long stride, int lanes, vec, vec, vec* y, vec*) {
  const T* p = (const T*)x;
  for (long i = 0; i < count; ++i) {
    __builtin_prefetch(p + i * stride + AHEAD);
    y[i] = load(p + i * stride, lanes);
  }
}

template <class T, class Activation>
static void read_normed(const void* x, long count, long stride, int lanes, vec scale, vec shift, vec* y, vec* slope) {
  const T* p = (const T*)x;
  if (slope)
    for (long i = 0; i < count; ++i) {
      __builtin_prefetch(p + i * stride + AHEAD);
      y[i] = Activation::both(load(p + i * stride, lanes) * scale + shift, slope[i]);
    }
  else
    for (long i = 0; i < count; ++i) {
      __builtin_prefetch(p + i * stride + AHEAD);
      y[i] = Activation::of(load(p + i * stride, lanes) * scale + shift);
    }
}

template <class T>
static void write_plain(const vec* y, long count, long stride, int lanes, void* out, Moments* moments) {
  T* p = (T*)out;
  for (long i = 0; i < count; ++i) {
    __builtin_prefetch(p + i * stride + AHEAD, 1);
    store(p + i * stride, y[i], lanes);
  }
  if (!moments) return;
  for (long i = 0; i < count; ++i) {
    const vec d = rounded(p, y[i]) - moments->shift;
    moments->sum += d, moments->squares += d * d;
  }
}

// A channel's way from the gradient of a gated, activated norm to that of the norm's input x.
struct NormGradient {
  vec scale, shift, gate, pool, of_g, of_x, constant;
};
typedef void (*Through)(const void* dy, const void* x, long count, long stride, int lanes, const NormGradient& norm, vec* dx);

template <class T, class Activation>
static void read_through(const void* dy, const void* x, long count, long stride, int lanes, const NormGradient& norm, vec* dx) {
  const T *g = (const T*)dy, *p = (const T*)x;
  const NormGradient n = norm;
  for (long i = 0; i < count; ++i) {
    __builtin_prefetch(g + i * stride + AHEAD);
    __builtin_prefetch(p + i * stride + AHEAD);
    const vec v = load(p + i * stride, lanes);
    vec slope;
    Activation::both(v * n.scale + n.shift, slope);
    dx[i] = (load(g + i * stride, lanes) * n.gate + n.pool) * slope * n.of_g + (v * n.of_x + n.constant);
  }
}

template <class T>
static Through reader_through(int activation) {
  switch (activation) {
    case RELU: return read_through<T, Sloped<T, Relu>>;
    case RELU6: return read_through<T, Sloped<T, Relu6>>;
    case SILU: return read_through<T, Sloped<T, Silu>>;
    case HARD_SWISH: return read_through<T, Sloped<T, HardSwish>>;
    default: return read_through<T, Sloped<T, Identity>>;
  }
}

template <class T>
static Read reader(int activation) {
  switch (activation) {
    case IDENTITY: return read_normed<T, Sloped<T, Identity>>;
    case RELU: return read_normed<T, Sloped<T, Relu>>;
    case RELU6: return read_normed<T, Sloped<T, Relu6>>;
    case SILU: return read_normed<T, Sloped<T, Silu>>;
    case HARD_SWISH: return read_normed<T, Sloped<T, HardSwish>>;
    default: return read_plain<T>;
  }
}

template <class Do>
static void with_type(int type, Do run) {
  if (type == FLOAT) run(float{});
  else run(bfloat16{});
}

// Vectors, zero at first, that go when their owner goes.
class Buffer {
 public:
  explicit Buffer(long count)
      : size_(sizeof(vec) * count), data_((vec*)std::aligned_alloc(sizeof(vec), sizeof(vec) * count)) {
    clear();
  }
  ~Buffer() { std::free(data_); }
  Buffer(const Buffer&) = delete;
  void clear() { std::memset((void*)data_, 0, size_); }
  vec* operator+(long offset) const { return data_ + offset; }
  vec& operator[](long i) const { return data_[i]; }

 private:
  size_t size_;
  vec* data_;
};

}  // namespace triscale
