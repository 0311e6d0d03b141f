// Batch norm with the activation after it and a gate on both, in channels-last memory, forward and backward.
// A map is swept piece by piece; sums of a piece are kept apart and added in their order, so that threads change no bit.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "rows.h"

namespace triscale {
namespace {

constexpr long PIECE = 1 << 16;  // values; it stays in a core's cache

struct Sweep {
  long pictures, rows, channels;
  long repeat() const { return LANES / std::gcd<long>(LANES, channels); }  // rows that fill whole vectors
  long length() const { return repeat() * channels; }
  long chunk() const { return std::max(1L, PIECE / length()) * repeat(); }  // rows of a piece
  long pieces() const { return (rows + chunk() - 1) / chunk(); }
  long vectors() const { return length() / LANES; }
};

// A value for each channel, repeated until it fills whole vectors.
class Channels {
 public:
  explicit Channels(const Sweep& p) : p_(p), data_(p.vectors()) {}
  void fill(const float* values) {
    if (!values) return data_.clear();
    for (long r = 0; r < p_.repeat(); ++r) std::memcpy(row(r), values, sizeof(float) * p_.channels);
  }
  void fold(float* to) const {
    std::memcpy(to, row(0), sizeof(float) * p_.channels);
    for (long r = 1; r < p_.repeat(); ++r)
      for (long i = 0; i < p_.channels; ++i) to[i] += row(r)[i];
  }
  vec& operator[](long i) const { return data_[i]; }

 private:
  float* row(long r) const { return (float*)(data_ + 0) + r * p_.channels; }
  Sweep p_;
  Buffer data_;
};

vec first(int lanes) {
  float ones[LANES] = {};
  for (int i = 0; i < lanes; ++i) ones[i] = 1.0f;
  return load_all(ones);
}

// run<U>(vector, offset, step, lanes): U rows of one vector of channels, `step` values apart.
template <class Body>
void sweep(const Sweep& p, long start, long rows, Body& body) {
  const long length = p.length(), count = rows * p.channels, whole = count / length;
  for (long r = 0; r < whole;) {
    const bool four = r + 4 <= whole;
    for (long j = 0; j < p.vectors(); ++j) {
      const long at = start + r * length + j * LANES;
      if (four) body.template run<4>(j, at, length, LANES);
      else body.template run<1>(j, at, length, LANES);
    }
    r += four ? 4 : 1;
  }
  for (long done = 0, rest = count - whole * length; done < rest; done += LANES)
    body.template run<1>(done / LANES, start + whole * length + done, length, (int)std::min<long>(LANES, rest - done));
}

// piece(picture, index, first value, rows, &body): what is done before and after a piece is swept.
template <class Make>
void each_piece(const Sweep& p, int threads, Make make) {
  const long pieces = p.pieces();
#pragma omp parallel num_threads(threads)
  {
    auto body = make();
#pragma omp for schedule(static)
    for (long i = 0; i < p.pictures * pieces; ++i) {
      const long picture = i / pieces, row = i % pieces * p.chunk();
      body.piece(picture, i, (picture * p.rows + row) * p.channels, std::min(p.chunk(), p.rows - row));
    }
  }
}

template <class T>
struct Sum {
  const T* x;
  Channels& sums;
  template <int U>
  void run(long j, long at, long step, int lanes) {
    vec sum = sums[j];
    for (int u = 0; u < U; ++u) sum += load(x + at + u * step, lanes);
    sums[j] = sum;
  }
};

template <class T>
struct Squares {
  const T* x;
  Channels &mean, &sums;
  template <int U>
  void run(long j, long at, long step, int lanes) {
    vec sum = sums[j];
    for (int u = 0; u < U; ++u) {
      const vec d = load(x + at + u * step, lanes) - mean[j];
      sum += lanes == LANES ? d * d : d * d * first(lanes);
    }
    sums[j] = sum;
  }
};

// Mean of each piece, then the squares about it: two passes, the second in cache.
template <class T>
struct MomentsOf {
  Sweep p;
  const T* x;
  float* partial;
  Channels mean, sums;
  MomentsOf(const Sweep& p, const T* x, float* partial) : p(p), x(x), partial(partial), mean(p), sums(p) {}
  void piece(long, long index, long start, long rows) {
    float* to = partial + index * 2 * p.channels;
    sums.fill(nullptr);
    Sum<T> sum{x, sums};
    sweep(p, start, rows, sum);
    sums.fold(to);
    for (long c = 0; c < p.channels; ++c) to[c] /= (float)rows;
    mean.fill(to);
    sums.fill(nullptr);
    Squares<T> squares{x, mean, sums};
    sweep(p, start, rows, squares);
    sums.fold(to + p.channels);
  }
};

// y = activation(x * scale + shift), times the picture's gate where there is one; or only its sum over the picture.
template <class T, class Activation>
struct Apply {
  Sweep p;
  const T* x;
  const float* gates;
  T* y;
  float* partial;
  Channels scale, shift, gate, sums;
  Apply(const Sweep& p, const T* x, const float* by, const float* plus, const float* gates, T* y, float* partial)
      : p(p), x(x), gates(gates), y(y), partial(partial), scale(p), shift(p), gate(p), sums(p) {
    scale.fill(by), shift.fill(plus);
  }
  void piece(long picture, long index, long start, long rows) {
    if (gates) gate.fill(gates + picture * p.channels);
    if (partial) sums.fill(nullptr);
    sweep(p, start, rows, *this);
    if (partial) sums.fold(partial + index * p.channels);
  }
  template <int U>
  void run(long j, long at, long step, int lanes) {
    const vec by = scale[j], plus = shift[j];
    vec sum = sums[j];
    for (int u = 0; u < U; ++u) {
      vec v = Activation::of(load(x + at + u * step, lanes) * by + plus);
      if (gates) v *= gate[j];
      if (y) store(y + at + u * step, v, lanes);
      if (partial) sum += lanes == LANES ? v : v * first(lanes);
    }
    sums[j] = sum;
  }
};

// What the gradients of a gated norm need of a picture, before its gate's own gradient is known: the sums of
// dy * activation(x * scale + shift), which is the gradient of the gate; of dy * slope and of slope; and of both times
// what x is above the mean.
template <class T, class Activation>
struct GatedSums {
  static constexpr int SUMS = 5;
  Sweep p;
  const T *x, *dy;
  float* partial;
  Channels scale, shift, mean, of_gate, given, given_products, slopes, products;
  GatedSums(const Sweep& p, const T* x, const T* dy, const float* by, const float* plus, const float* means,
            float* partial)
      : p(p), x(x), dy(dy), partial(partial), scale(p), shift(p), mean(p), of_gate(p), given(p), given_products(p),
        slopes(p), products(p) {
    scale.fill(by), shift.fill(plus), mean.fill(means);
  }
  void piece(long, long index, long start, long rows) {
    Channels* const sums[SUMS] = {&of_gate, &given, &given_products, &slopes, &products};
    for (Channels* one : sums) one->fill(nullptr);
    sweep(p, start, rows, *this);
    for (int i = 0; i < SUMS; ++i) sums[i]->fold(partial + (index * SUMS + i) * p.channels);
  }
  template <int U>
  void run(long j, long at, long step, int lanes) {
    const vec by = scale[j], plus = shift[j], about = mean[j];
    vec gate = of_gate[j], sum = given[j], product = given_products[j], slope_sum = slopes[j], slope_product = products[j];
    for (int u = 0; u < U; ++u) {  // dy is 0 beyond the lanes
      const vec v = load(x + at + u * step, lanes), above = v - about, d = load(dy + at + u * step, lanes);
      vec slope;
      gate += Activation::both(v * by + plus, slope) * d;
      if (lanes != LANES) slope *= first(lanes);
      const vec g = d * slope;
      sum += g, product += g * above;
      slope_sum += slope, slope_product += slope * above;
    }
    of_gate[j] = gate, given[j] = sum, given_products[j] = product, slopes[j] = slope_sum, products[j] = slope_product;
  }
};

// g = dy * slope where it is wanted, its sum, and its sum times what x is above the mean.
template <class T, class Activation>
struct Gradient {
  Sweep p;
  const T *x, *dy;
  T* g;
  float* partial;
  Channels scale, shift, mean, sums, products;
  Gradient(const Sweep& p, const T* x, const T* dy, const float* by, const float* plus, const float* means, T* g,
           float* partial)
      : p(p), x(x), dy(dy), g(g), partial(partial), scale(p), shift(p), mean(p), sums(p), products(p) {
    scale.fill(by), shift.fill(plus), mean.fill(means);
  }
  void piece(long, long index, long start, long rows) {
    sums.fill(nullptr), products.fill(nullptr);
    sweep(p, start, rows, *this);
    sums.fold(partial + index * 2 * p.channels);
    products.fold(partial + (index * 2 + 1) * p.channels);
  }
  template <int U>
  void run(long j, long at, long step, int lanes) {
    const vec by = scale[j], plus = shift[j], about = mean[j];
    vec sum = sums[j], product = products[j];
    for (int u = 0; u < U; ++u) {  // dy is 0 beyond the lanes
      const vec v = load(x + at + u * step, lanes);
      vec slope, d = load(dy + at + u * step, lanes);
      Activation::both(v * by + plus, slope);
      d *= slope;
      if (g) store(g + at + u * step, d, lanes);
      sum += d, product += d * (v - about);
    }
    sums[j] = sum, products[j] = product;
  }
};

// dx = g * of_g + x * of_x + constant.
template <class T>
struct Affine {
  Sweep p;
  const T *g, *x;
  T* dx;
  Channels of_g, of_x, constant;
  Affine(const Sweep& p, const T* g, const T* x, const float* a, const float* b, const float* c, T* dx)
      : p(p), g(g), x(x), dx(dx), of_g(p), of_x(p), constant(p) {
    of_g.fill(a), of_x.fill(b), constant.fill(c);
  }
  void piece(long, long, long start, long rows) { sweep(p, start, rows, *this); }
  template <int U>
  void run(long j, long at, long step, int lanes) {
    const vec a = of_g[j], b = of_x[j], c = constant[j];
    for (int u = 0; u < U; ++u) {
      const long o = at + u * step;
      store(dx + o, load(g + o, lanes) * a + (load(x + o, lanes) * b + c), lanes);
    }
  }
};

template <class T, class Do>
void with_activation(int activation, Do run) {
  switch (activation) {
    case RELU: return run(Sloped<T, Relu>{});
    case RELU6: return run(Sloped<T, Relu6>{});
    case SILU: return run(Sloped<T, Silu>{});
    case HARD_SWISH: return run(Sloped<T, HardSwish>{});
    default: return run(Sloped<T, Identity>{});
  }
}

}  // namespace
}  // namespace triscale

using namespace triscale;

extern "C" {

// How many pieces a picture has; where `rows` is given, the rows of each piece of all pictures.
long norm_pieces(const long* shape, float* rows) {
  const Sweep& p = *(const Sweep*)shape;
  for (long i = 0; rows && i < p.pictures * p.pieces(); ++i)
    rows[i] = (float)std::min(p.chunk(), p.rows - i % p.pieces() * p.chunk());
  return p.pieces();
}

void norm_moments(const long* shape, int type, const void* x, float* partial, int threads) {
  const Sweep& p = *(const Sweep*)shape;
  with_type(type, [&](auto t) {
    typedef decltype(t) T;
    each_piece(p, threads, [&] { return MomentsOf<T>(p, (const T*)x, partial); });
  });
}

void norm_apply(const long* shape, int type, int activation, const void* x, const float* scale, const float* shift,
                const float* gates, void* y, float* partial, int threads) {
  const Sweep& p = *(const Sweep*)shape;
  with_type(type, [&](auto t) {
    typedef decltype(t) T;
    with_activation<T>(activation, [&](auto a) {
      each_piece(p, threads, [&] {
        return Apply<T, decltype(a)>(p, (const T*)x, scale, shift, gates, (T*)y, partial);
      });
    });
  });
}

// Five sums for each piece and channel, in the order of `GatedSums`.
void norm_gated_sums(const long* shape, int type, int activation, const void* x, const void* dy, const float* scale,
                     const float* shift, const float* mean, float* partial, int threads) {
  const Sweep& p = *(const Sweep*)shape;
  with_type(type, [&](auto t) {
    typedef decltype(t) T;
    with_activation<T>(activation, [&](auto a) {
      each_piece(p, threads, [&] {
        return GatedSums<T, decltype(a)>(p, (const T*)x, (const T*)dy, scale, shift, mean, partial);
      });
    });
  });
}

void norm_gradient(const long* shape, int type, int activation, const void* x, const void* dy, const float* scale,
                   const float* shift, const float* mean, void* g, float* partial, int threads) {
  const Sweep& p = *(const Sweep*)shape;
  with_type(type, [&](auto t) {
    typedef decltype(t) T;
    with_activation<T>(activation, [&](auto a) {
      each_piece(p, threads, [&] {
        return Gradient<T, decltype(a)>(p, (const T*)x, (const T*)dy, scale, shift, mean, (T*)g, partial);
      });
    });
  });
}

void norm_affine(const long* shape, int type, const void* g, const void* x, const float* of_g, const float* of_x,
                 const float* constant, void* dx, int threads) {
  const Sweep& p = *(const Sweep*)shape;
  with_type(type, [&](auto t) {
    typedef decltype(t) T;
    each_piece(p, threads, [&] { return Affine<T>(p, (const T*)g, (const T*)x, of_g, of_x, constant, (T*)dx); });
  });
}

// Joins the moments of `count` parts of `rows[i]` values each: mean, 1 / deviation, and the norm as scale and shift.
void norm_prepare(long count, long channels, const float* rows, const float* partial, const float* weight,
                  const float* bias, double eps, double momentum, float* running_mean, float* running_var, float* mean,
                  float* inverse, float* scale, float* shift) {
  std::vector<double> means(channels), squares(channels);
  double total = 0.0;
  for (long i = 0; i < count; ++i) {
    total += rows[i];
    for (long c = 0; c < channels; ++c) means[c] += (double)rows[i] * partial[2 * i * channels + c];
  }
  for (long c = 0; c < channels; ++c) means[c] /= total;
  for (long i = 0; i < count; ++i)
    for (long c = 0; c < channels; ++c) {
      const double d = partial[2 * i * channels + c] - means[c];
      squares[c] += partial[(2 * i + 1) * channels + c] + rows[i] * d * d;
    }
  for (long c = 0; c < channels; ++c) {
    const double deviation = 1.0 / std::sqrt(squares[c] / total + eps), by = deviation * weight[c];
    mean[c] = (float)means[c], inverse[c] = (float)deviation;
    scale[c] = (float)by, shift[c] = (float)(bias[c] - means[c] * by);
    running_mean[c] += (float)(momentum * (means[c] - running_mean[c]));
    running_var[c] += (float)(momentum * (squares[c] / (total - 1.0) - running_var[c]));
  }
}

// The norm's own gradients from the sums of g, and dx = g * of_g + x * of_x + constant.
void norm_coefficients(long count, long channels, double rows, const float* partial, const float* weight,
                       const float* mean, const float* inverse, float* dweight, float* dbias, float* of_g, float* of_x,
                       float* constant) {
  std::vector<double> sums(channels), products(channels);
  for (long i = 0; i < count; ++i)
    for (long c = 0; c < channels; ++c) {
      sums[c] += partial[2 * i * channels + c];
      products[c] += partial[(2 * i + 1) * channels + c];
    }
  for (long c = 0; c < channels; ++c) {
    const double deviation = inverse[c], a = weight[c] * deviation, b = -a * deviation * deviation * products[c] / rows;
    dweight[c] = (float)(products[c] * deviation), dbias[c] = (float)sums[c];
    of_g[c] = (float)a, of_x[c] = (float)b, constant[c] = (float)(-a * sums[c] / rows - b * mean[c]);
  }
}
}
