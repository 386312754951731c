// Dot products of rows of 8-bit numbers with one row of 16-bit numbers: the inner loop of the first pass of a search.
//
// In C because Swift cannot be told to use AVX2 for one function. Both functions give the same sums.

#pragma once

#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>

/// Whether the processor has AVX2.
static inline int dot_has_avx2(void) { return __builtin_cpu_supports("avx2"); }

/// Sums for `count` rows of `length` numbers, a multiple of 32. No sum may leave 32 bits.
__attribute__((target("avx2"))) static inline void
dot_rows_avx2(const int8_t *_Nonnull rows, long count, long length, const int16_t *_Nonnull query, int32_t *_Nonnull sums) {
    for (long row = 0; row < count; row++, rows += length) {
        __m256i first = _mm256_setzero_si256(), second = _mm256_setzero_si256();
        for (long at = 0; at < length; at += 32) {
            __m256i low = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(rows + at)));
            __m256i high = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(rows + at + 16)));
            __m256i left = _mm256_loadu_si256((const __m256i *)(query + at));
            __m256i right = _mm256_loadu_si256((const __m256i *)(query + at + 16));
            first = _mm256_add_epi32(first, _mm256_madd_epi16(low, left));
            second = _mm256_add_epi32(second, _mm256_madd_epi16(high, right));
        }
        __m256i both = _mm256_add_epi32(first, second);
        __m128i four = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
        four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
        four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1));
        sums[row] = _mm_cvtsi128_si32(four);
    }
}
#else
static inline int dot_has_avx2(void) { return 0; }

static inline void dot_rows_avx2(const int8_t *_Nonnull rows, long count, long length, const int16_t *_Nonnull query, int32_t *_Nonnull sums) {
    (void)rows, (void)count, (void)length, (void)query, (void)sums;
}
#endif

/// The same for any processor.
static inline void dot_rows_plain(const int8_t *_Nonnull rows, long count, long length, const int16_t *_Nonnull query, int32_t *_Nonnull sums) {
    for (long row = 0; row < count; row++, rows += length) {
        int32_t sum = 0;
        for (long at = 0; at < length; at++) sum += rows[at] * query[at];
        sums[row] = sum;
    }
}
