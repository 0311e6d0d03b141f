"""Exports in int8 and bfloat16: calibrated on training images, held to the accuracy of float32, and timed beside it."""
