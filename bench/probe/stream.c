/* Streaming kernels in the manner of STREAM: best of several passes over arrays larger than any cache.
 * argv: bytes of each array, passes. Prints "name bytes-per-second" lines. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static volatile double sink;

static void copy(double *restrict a, const double *restrict b, long n) {
  for (long i = 0; i < n; i++) a[i] = b[i];
}

static void scale(double *restrict a, const double *restrict b, double k, long n) {
  for (long i = 0; i < n; i++) a[i] = k * b[i];
}

static void add(double *restrict a, const double *restrict b, const double *restrict c, long n) {
  for (long i = 0; i < n; i++) a[i] = b[i] + c[i];
}

static void triad(double *restrict a, const double *restrict b, const double *restrict c, double k, long n) {
  for (long i = 0; i < n; i++) a[i] = b[i] + k * c[i];
}

static double read_all(const double *restrict a, long n) {
  double s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
  for (long i = 0; i + 64 <= n; i += 64)
    for (long j = i; j < i + 64; j += 8) {
      s0 += a[j]; s1 += a[j + 1]; s2 += a[j + 2]; s3 += a[j + 3];
      s4 += a[j + 4]; s5 += a[j + 5]; s6 += a[j + 6]; s7 += a[j + 7];
    }
  return s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
}

int main(int argc, char **argv) {
  static const char *names[] = {"copy", "scale", "add", "triad", "read"};
  static const int arrays[] = {2, 2, 3, 3, 1};
  long bytes = argc > 1 ? atol(argv[1]) : 128L << 20;
  int passes = argc > 2 ? atoi(argv[2]) : 20;
  long n = bytes / (long)sizeof(double) / 64 * 64;
  double *a = aligned_alloc(4096, (size_t)bytes);
  double *b = aligned_alloc(4096, (size_t)bytes);
  double *c = aligned_alloc(4096, (size_t)bytes);
  if (!a || !b || !c) return 1;
  for (long i = 0; i < n; i++) a[i] = 1, b[i] = 2, c[i] = 0.5;
  for (int kernel = 0; kernel < 5; kernel++) {
    double best = 1e30;
    for (int pass = 0; pass < passes; pass++) {
      double begin = seconds();
      if (kernel == 0) copy(a, b, n);
      else if (kernel == 1) scale(a, b, 3, n);
      else if (kernel == 2) add(a, b, c, n);
      else if (kernel == 3) triad(a, b, c, 3, n);
      else sink = read_all(a, n);
      double taken = seconds() - begin;
      sink = a[n / 2];
      if (taken < best) best = taken;
    }
    printf("%s %.6e\n", names[kernel], (double)arrays[kernel] * (double)bytes / best);
  }
  return 0;
}
