// A step of a network as threads see it: tiles that may run in any order and at once, each with arithmetic of its own.
#pragma once

namespace triscale {

// What the memory of a thread holds since its last tile of a ring: the rows of that tile.
struct Kept {
  unsigned long place;
  int tile;
};

// What a tile works on: maps, memory of the thread that runs it, and the image and logits of the call. `place` is the
// step's in the sequence of all that the instance ever ran.
struct Task {
  float *arena, *own;
  Kept* kept;
  unsigned long place;
  const float* image;
  float* logits;
};

struct Step {
  void (*run)(const Task& at, int tile);
  int tiles;
};

}  // namespace triscale
