// How a map lies in memory, and how a run of pixels is cut into tiles.
#pragma once
#include <type_traits>

#include "vectors.h"

namespace triscale {

// In floats: from row to row, from panel to panel, channels of a panel. Pointers are to the first pixel that is read.
struct Lie {
  int height, width, block;
  long row, panel;
};

template <int N>
using Number = std::integral_constant<int, N>;

// A run of LENGTH pixels in tiles of at most MOST, as equal as can be: f(tile, count, first) for each of two sizes.
template <int LENGTH, int MOST, class F>
TRISCALE_INLINE void in_tiles(F f) {
  constexpr int count = (LENGTH + MOST - 1) / MOST, small = LENGTH / count, large = LENGTH % count;
  if constexpr (large > 0) f(Number<small + 1>{}, large, 0);
  f(Number<small>{}, count - large, large * (small + 1));
}

}  // namespace triscale
