/* classify IMAGE.ppm [THREADS] prints the five most probable classes.
   It takes a binary PPM file (P6) of 8 bits that has the network's size, and rejects all others: it does not resize or
   crop, since filters differ and accuracy depends on them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "triscale_net.h"

/* A number of a PPM header; comments go from # to the end of a line. */
static int number(FILE* file) {
  int found = 0, comments = 0;
  while (fscanf(file, " #%*[^\n]%n", &comments) == 0 && comments > 0) comments = 0;
  return fscanf(file, "%d", &found) == 1 ? found : -1;
}

int main(int count, char** words) {
  const triscale_sizes size = triscale_shape();
  const size_t area = (size_t)size.height * size.width;
  unsigned char* pixels = (unsigned char*)malloc(3 * area);
  float* image = (float*)malloc(size.channels * area * sizeof *image);
  float* logits = (float*)malloc(size.classes * sizeof *logits);
  FILE* file = count > 1 ? fopen(words[1], "rb") : NULL;
  const int is_ppm = file && fgetc(file) == 'P' && fgetc(file) == '6';
  const int width = is_ppm ? number(file) : 0, height = is_ppm ? number(file) : 0, white = is_ppm ? number(file) : 0;
  triscale_net* net = NULL;
  int error = 0;
  if (!pixels || !image || !logits) return fprintf(stderr, "not enough memory\n"), 1;
  if (!is_ppm || white != 255 || fgetc(file) == EOF) return fprintf(stderr, "give a PPM file (P6) of 8 bits\n"), 1;
  if (width != size.width || height != size.height)
    return fprintf(stderr, "%s is %dx%d; give %dx%d\n", words[1], width, height, size.width, size.height), 1;
  if (fread(pixels, 1, 3 * area, file) != 3 * area) return fprintf(stderr, "%s is cut short\n", words[1]), 1;
  if ((error = triscale_create(1, count > 2 ? atoi(words[2]) : 1, &net)) || (error = triscale_prepare(pixels, image)) ||
      (error = triscale_run(net, 1, image, logits)))
    return fprintf(stderr, "error %d of triscale_net.h\n", error), 1;
  double sum = 0, largest = logits[0];
  for (int n = 0; n < size.classes; ++n) largest = logits[n] > largest ? logits[n] : largest;
  for (int n = 0; n < size.classes; ++n) sum += logits[n] = (float)exp(logits[n] - largest);
  for (int shown = 0, best = 0; shown < 5 && shown < size.classes; ++shown, best = 0) {
    for (int n = 1; n < size.classes; ++n) best = logits[n] > logits[best] ? n : best;
    printf("%5.1f%% %s (class %d)\n", 100 * logits[best] / sum, triscale_class(best) ? triscale_class(best) : "", best);
    logits[best] = -1;
  }
  triscale_free(net), free(pixels), free(image), free(logits), fclose(file);
  return 0;
}
