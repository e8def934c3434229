/* Single-precision matrix product, packed and blocked for the caches, one thread: what a C compiler makes of a
 * plain vector kernel. argv: size (a multiple of 96), passes. Prints "gemm flops-per-second" and, when built with
 * -DWITH_BLAS, "blas flops-per-second" of the library's sgemm on the same matrices. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
enum { LANES = 16, ROWS = 12 };
#elif defined(__AVX__)
enum { LANES = 8, ROWS = 6 };
#else
enum { LANES = 4, ROWS = 8 };
#endif
enum { VECTORS = 2, COLUMNS = VECTORS * LANES, DEPTH = 384, BAND = 192 };

typedef float vec __attribute__((vector_size(LANES * sizeof(float))));

#ifdef WITH_BLAS
void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b,
                 int ldb, float beta, float *c, int ldc);
#endif

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* c[ROWS][COLUMNS] += a (depth x ROWS, packed) * b (depth x COLUMNS, packed) */
static void tile(const float *restrict a, const float *restrict b, float *restrict c, long stride, long depth) {
  vec sum[ROWS][VECTORS];
  memset(sum, 0, sizeof sum);
  for (long p = 0; p < depth; p++) {
    vec right[VECTORS];
    for (int v = 0; v < VECTORS; v++) right[v] = *(const vec *)(b + p * COLUMNS + v * LANES);
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++) {
      vec left = a[p * ROWS + i] - (vec){0};
      for (int v = 0; v < VECTORS; v++) sum[i][v] += left * right[v];
    }
  }
  for (int i = 0; i < ROWS; i++)
    for (int v = 0; v < VECTORS; v++) {
      vec *place = (vec *)(c + i * stride + v * LANES);
      *place += sum[i][v];
    }
}

static void multiply(const float *a, const float *b, float *c, float *pa, float *pb, long n) {
  memset(c, 0, (size_t)n * (size_t)n * sizeof *c);
  for (long k = 0; k < n; k += DEPTH) {
    long depth = k + DEPTH < n ? DEPTH : n - k;
    for (long j = 0; j < n; j += COLUMNS)
      for (long p = 0; p < depth; p++) memcpy(pb + j * depth + p * COLUMNS, b + (k + p) * n + j, COLUMNS * sizeof *b);
    for (long i = 0; i < n; i += BAND) {
      long rows = i + BAND < n ? BAND : n - i;
      for (long r = 0; r < rows; r += ROWS)
        for (long p = 0; p < depth; p++)
          for (int s = 0; s < ROWS; s++) pa[r * depth + p * ROWS + s] = a[(i + r + s) * n + k + p];
      for (long j = 0; j < n; j += COLUMNS)
        for (long r = 0; r < rows; r += ROWS) tile(pa + r * depth, pb + j * depth, c + (i + r) * n + j, n, depth);
    }
  }
}

int main(int argc, char **argv) {
  long n = argc > 1 ? atol(argv[1]) : 1536;
  int passes = argc > 2 ? atoi(argv[2]) : 20;
  size_t bytes = (size_t)n * (size_t)n * sizeof(float);
  float *a = aligned_alloc(4096, bytes), *b = aligned_alloc(4096, bytes), *c = aligned_alloc(4096, bytes);
  float *pa = aligned_alloc(4096, BAND * DEPTH * sizeof(float)), *pb = aligned_alloc(4096, (size_t)n * DEPTH * sizeof(float));
  if (n % 96 || !a || !b || !c || !pa || !pb) return 1;
  for (long i = 0; i < n * n; i++) a[i] = (float)(i % 89 - 44) / 89, b[i] = (float)(i % 101 - 50) / 101;
  double best = 1e30, flop = 2.0 * (double)n * (double)n * (double)n;
  for (int pass = 0; pass < passes; pass++) {
    double begin = seconds();
    multiply(a, b, c, pa, pb, n);
    double taken = seconds() - begin;
    if (taken < best) best = taken;
  }
  /* A wrong product would be a wrong anchor. */
  for (long probe = 0; probe < 100; probe++) {
    long i = probe * 7919 % n, j = probe * 104729 % n;
    double exact = 0;
    for (long p = 0; p < n; p++) exact += (double)a[i * n + p] * (double)b[p * n + j];
    double error = exact - (double)c[i * n + j];
    if (error > 1e-2 || error < -1e-2) return 2;
  }
  printf("gemm %.6e\n", flop / best);
#ifdef WITH_BLAS
  best = 1e30;
  for (int pass = 0; pass < passes; pass++) {
    double begin = seconds();
    cblas_sgemm(101, 111, 111, (int)n, (int)n, (int)n, 1, a, (int)n, b, (int)n, 0, c, (int)n);
    double taken = seconds() - begin;
    if (taken < best) best = taken;
  }
  printf("blas %.6e\n", flop / best);
#endif
  return 0;
}
