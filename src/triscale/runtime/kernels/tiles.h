// How a map lies in memory, how a step is cut for threads, and how a run of pixels is cut for registers.
#pragma once
#include <type_traits>

#include "step.h"
#include "vectors.h"

namespace triscale {

// In floats: from row to row, from panel to panel, channels of a panel. Pointers are to the first pixel that is read.
struct Lie {
  int height, width, block;
  long row, panel;
};

// How a step is cut into tiles for threads: spans of panels, and of each all blocks of rows, one after the other.
struct Cut {
  int spans, blocks;
};

// Some of `count` parts of so many things, as equal as can be.
constexpr Part part_of(int things, int count, Part parts) {
  return {(int)((long)things * parts.begin / count), (int)((long)things * parts.end / count)};
}

// f(unit, blocks) for what some tiles have of the units of a step, and of the rows of each.
template <int UNITS, Cut cut, class F>
TRISCALE_INLINE void in_units(Part tiles, F f) {
  if constexpr (cut.blocks == 1) {
    const Part units = part_of(UNITS, cut.spans, tiles);
    for (int unit = units.begin; unit < units.end; ++unit) f(unit, Part{0, 1});
  } else {
    static_assert(cut.spans == UNITS, "rows are cut where units are few");
    for (int unit = tiles.begin / cut.blocks; unit * cut.blocks < tiles.end; ++unit) {
      const int begin = tiles.begin - unit * cut.blocks, end = tiles.end - unit * cut.blocks;
      f(unit, Part{begin < 0 ? 0 : begin, end < cut.blocks ? end : cut.blocks});
    }
  }
}

template <int N>
using Number = std::integral_constant<int, N>;

// A run of LENGTH pixels in runs of at most MOST that fit into registers, as equal as can be.
constexpr int runs_in(int length, int most) { return (length + most - 1) / most; }

// f(pixels, count, first) for each of two sizes of runs.
template <int LENGTH, int MOST, class F>
TRISCALE_INLINE void in_runs(F f) {
  constexpr int count = runs_in(LENGTH, MOST), small = LENGTH / count, large = LENGTH % count;
  if constexpr (large > 0) f(Number<small + 1>{}, large, 0);
  f(Number<small>{}, count - large, large * (small + 1));
}

// The same for some of the runs: which run an output is in does not depend on the part.
template <int LENGTH, int MOST, class F>
TRISCALE_INLINE void in_runs(Part part, F f) {
  constexpr int count = runs_in(LENGTH, MOST), small = LENGTH / count, large = LENGTH % count;
  if constexpr (large > 0)
    if (part.begin < large) f(Number<small + 1>{}, (part.end < large ? part.end : large) - part.begin, part.begin * (small + 1));
  const int first = part.begin < large ? large : part.begin;
  if (first < part.end) f(Number<small>{}, part.end - first, first * small + large);
}

}  // namespace triscale
