// All kernels, as one translation unit.
#include "depthwise.cpp"
#include "norm.cpp"
