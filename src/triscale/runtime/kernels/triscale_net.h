/* A network as a library: create an instance, run it, free it. Errors are negative numbers. */
#ifndef TRISCALE_NET_H
#define TRISCALE_NET_H

#ifdef __cplusplus
extern "C" {
#endif

#define TRISCALE_ABI 1

enum {
  TRISCALE_OK = 0,
  TRISCALE_BAD_ARGUMENT = -1,
  TRISCALE_OUT_OF_MEMORY = -2,   /* or the system has no more threads */
  TRISCALE_WRONG_PROCESSOR = -3, /* this processor lacks the instructions that the library was built for */
  TRISCALE_BUSY = -4,            /* another thread runs this instance */
  TRISCALE_DAMAGED = -5          /* the file of weights was cut short when the network was compiled */
};

typedef struct triscale_net triscale_net;

typedef struct {
  int channels, height, width, classes;
} triscale_sizes;

int triscale_abi(void);
/* The instruction set: generic, avx2 or avx512. */
const char* triscale_isa(void);
/* JSON: the network, its classes, and how images are prepared. */
const char* triscale_about(void);
triscale_sizes triscale_shape(void);
/* The name of a class in UTF-8, 0 to classes - 1; NULL if it has none. */
const char* triscale_class(int index);

/* An instance for at most `batch` images at once. `threads`, the caller's among them, share each image; the
   logits have the same bits for any number. Instances are independent of each other. In a process that was forked an
   instance runs in the caller's thread alone. */
int triscale_create(int batch, int threads, triscale_net** net);
/* Pixels [height][width][3] of red, green and blue in 8 bits, of an image that has the network's size, to the image
   that triscale_run takes: (level / 255 - mean) / std, with the mean and std that the network was trained with; grey
   for a network of one channel. It does not resize. TRISCALE_BAD_ARGUMENT if the library does not know mean and std. */
int triscale_prepare(const unsigned char* pixels, float* image);
/* float32 images [count][channels][height][width] to logits [count][classes], count at most the instance's batch. */
int triscale_run(triscale_net* net, int count, const float* images, float* logits);
/* Runs one image in the caller's thread and writes what each step of the network took. Returns the number of steps;
   with nanoseconds NULL it does no more. */
int triscale_profile(triscale_net* net, const float* image, float* logits, long long* nanoseconds);
void triscale_free(triscale_net* net);

#ifdef __cplusplus
}
#endif
#endif
