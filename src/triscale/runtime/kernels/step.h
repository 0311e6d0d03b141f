// A step of a network as threads see it: tiles that may run in any order and at once, each with arithmetic of its own.
#pragma once

namespace triscale {

// Some of things that are numbered.
struct Part {
  int begin, end;
};

// What tiles work on: maps, memory of the thread that runs them, and the image and logits of the call.
struct Task {
  float *arena, *own;
  const float* image;
  float* logits;
};

struct Step {
  void (*run)(const Task& at, Part tiles);
  int tiles;
};

}  // namespace triscale
