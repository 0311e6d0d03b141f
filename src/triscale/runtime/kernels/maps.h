// What is done to maps beside convolutions.
#pragma once
#include <cstring>

#include "tiles.h"

namespace triscale {

struct Frame {
  int panels, top, bottom, left, right;
  Lie in;
};

// Zeros around some panels of a map, as many parts as there are tiles; `map` is the beginning of its first panel.
template <Frame of, int TILES>
static void clear_frame(float* map, Part tiles) {
  constexpr long width = of.left + of.in.width + of.right, block = of.in.block;
  const Part part = part_of(of.panels, TILES, tiles);
  map += part.begin * of.in.panel;
  for (int panel = part.begin; panel < part.end; ++panel, map += of.in.panel) {
    std::memset(map, 0, sizeof(float) * of.top * of.in.row);
    for (int row = 0; row < of.in.height; ++row) {
      float* at = map + (of.top + row) * of.in.row;
      std::memset(at, 0, sizeof(float) * of.left * block);
      std::memset(at + (width - of.right) * block, 0, sizeof(float) * of.right * block);
    }
    std::memset(map + (of.top + of.in.height) * of.in.row, 0, sizeof(float) * of.bottom * of.in.row);
  }
}

// An image [channels][height][width] into planes.
template <int CHANNELS, Lie out, Cut cut>
static void enter(const float* image, float* y, Part tiles) {
  in_units<CHANNELS, cut>(tiles, [&](int channel, Part blocks) {
    const Part rows = part_of(out.height, cut.blocks, blocks);
    for (int row = rows.begin; row < rows.end; ++row)
      std::memcpy(y + channel * out.panel + row * out.row, image + ((long)channel * out.height + row) * out.width,
                  sizeof(float) * out.width);
  });
}

template <int CHANNELS>
static void leave(const float* x, float* logits) {
  std::memcpy(logits, x, sizeof(float) * CHANNELS);
}

struct Pooling {
  int kernel, stride, panels, top, left;
  Lie in, out;
};

// What is not a number wins, as in torch; what is padded never does.
template <Pooling of, Cut cut>
static void max_pool(const float* x, float* y, Part tiles) {
  in_units<of.panels, cut>(tiles, [&](int panel, Part blocks) {
    const Part rows = part_of(of.out.height, cut.blocks, blocks);
    for (int row = rows.begin; row < rows.end; ++row)
      for (int column = 0; column < of.out.width; ++column) {
        vec most = all(-__builtin_inff());
        for (int i = 0; i < of.kernel; ++i) {
          const int r = row * of.stride + i - of.top;
          if (r < 0 || r >= of.in.height) continue;
          for (int j = 0; j < of.kernel; ++j) {
            const int c = column * of.stride + j - of.left;
            if (c < 0 || c >= of.in.width) continue;
            const vec v = load(x + panel * of.in.panel + r * of.in.row + c * LANES);
            most = most == most ? larger(most, v) : most;
          }
        }
        store(y + panel * of.out.panel + row * of.out.row + column * LANES, most);
      }
  });
}

template <int PANELS, Lie in, Cut cut>
static void average(const float* x, float* mean, Part tiles) {
  in_units<PANELS, cut>(tiles, [&](int panel, Part) {
    vec total{};
    for (int row = 0; row < in.height; ++row) {
      vec sum{};
      for (int column = 0; column < in.width; ++column)
        sum = sum + load(x + panel * in.panel + row * in.row + column * LANES);
      total = total + sum;
    }
    store(mean + panel * LANES, total * (1.0f / (in.height * in.width)));
  });
}

struct Combination {
  int panels;
  bool scaled, shifted, residual;
  Lie in, kept, out;
};

// activation(x * scale + shift + kept), each where there is one.
template <Combination of, class Activation, Cut cut>
static void combine(const float* x, const float* scale, const float* shift, const float* kept, float* y,
                    Part tiles) {
  in_units<of.panels, cut>(tiles, [&](int panel, Part blocks) {
    const Part rows = part_of(of.out.height, cut.blocks, blocks);
    const vec factor = of.scaled ? load(scale + panel * LANES) : all(1.0f);
    const vec term = of.shifted ? load(shift + panel * LANES) : vec{};
    for (int row = rows.begin; row < rows.end; ++row) {
      const float* from = x + panel * of.in.panel + row * of.in.row;
      const float* old = kept + panel * of.kept.panel + row * of.kept.row;
      float* to = y + panel * of.out.panel + row * of.out.row;
      for (int column = 0; column < of.out.width; ++column) {
        vec v = load(from + column * LANES);
        if (of.shifted) v = fma(v, factor, term);
        else if (of.scaled) v = v * factor;
        if (of.residual) v = v + load(old + column * LANES);
        store(to + column * LANES, Activation::of(v));
      }
    }
  });
}

}  // namespace triscale
