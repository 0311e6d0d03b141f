// All kernels, for the source that is made for one network.
#pragma once
#include "convolve.h"
#include "depthwise.h"
#include "maps.h"
#include "step.h"
#include "winograd.h"
