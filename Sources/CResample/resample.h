// The two inner loops of the bicubic resize for processors with AVX2, which Swift cannot be asked to use for one
// function alone. They give the same bytes as the plain loops of Resampler.swift.
//
// A weight is a fixed-point number; a sum of samples times weights, plus a half, is rounded down by `bits` and clipped.
#pragma once
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define RESAMPLE_AVX2 static inline __attribute__((target("avx2")))

/// Whether this processor and system can run the loops below.
static inline int resample_has_avx2(void) { return __builtin_cpu_supports("avx2") != 0; }

/// Four bytes of each of two rows as eight 32-bit numbers.
RESAMPLE_AVX2 __m256i resample_load_pair(const uint8_t *_Nonnull upper, const uint8_t *_Nonnull lower) {
    int32_t a, b;
    memcpy(&a, upper, 4);
    memcpy(&b, lower, 4);
    return _mm256_cvtepu8_epi32(_mm_unpacklo_epi32(_mm_cvtsi32_si128(a), _mm_cvtsi32_si128(b)));
}

RESAMPLE_AVX2 uint8_t resample_clip(int32_t sum, int bits) {
    sum >>= bits;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/// Resizes two neighbouring rows of red, green, blue samples along their length.
///
/// Output pixel c is made of `counts[c]` pixels from `starts[c]` on, with the weights from `weights[c * stride]` on. One
/// byte behind the last pixel of a row is read (and not used): there must be one.
RESAMPLE_AVX2 void resample_rows_avx2(
    const uint8_t *_Nonnull upper, const uint8_t *_Nonnull lower, uint8_t *_Nonnull upper_out,
    uint8_t *_Nonnull lower_out, const intptr_t *_Nonnull starts, const intptr_t *_Nonnull counts,
    const int32_t *_Nonnull weights, intptr_t stride, intptr_t columns, int bits
) {
    for (intptr_t c = 0; c < columns; c++) {
        __m256i sum = _mm256_set1_epi32(1 << (bits - 1));
        const uint8_t *a = upper + starts[c] * 3, *b = lower + starts[c] * 3;
        const int32_t *w = weights + c * stride;
        for (intptr_t i = 0; i < counts[c]; i++, a += 3, b += 3)
            sum = _mm256_add_epi32(sum, _mm256_mullo_epi32(resample_load_pair(a, b), _mm256_set1_epi32(w[i])));
        int32_t sums[8];
        _mm256_storeu_si256((__m256i *)sums, sum);
        for (int k = 0; k < 3; k++) {
            upper_out[c * 3 + k] = resample_clip(sums[k], bits);
            lower_out[c * 3 + k] = resample_clip(sums[4 + k], bits);
        }
    }
}

/// Makes one row of `count` rows of `length` samples that stand one behind the other.
RESAMPLE_AVX2 void resample_columns_avx2(
    const uint8_t *_Nonnull rows, uint8_t *_Nonnull out, const int32_t *_Nonnull weights, intptr_t count, intptr_t length,
    int bits
) {
    intptr_t x = 0;
    for (; x + 8 <= length; x += 8) {
        __m256i sum = _mm256_set1_epi32(1 << (bits - 1));
        for (intptr_t i = 0; i < count; i++) {
            __m256i samples = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(rows + i * length + x)));
            sum = _mm256_add_epi32(sum, _mm256_mullo_epi32(samples, _mm256_set1_epi32(weights[i])));
        }
        sum = _mm256_srai_epi32(sum, bits);
        __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        _mm_storel_epi64((__m128i *)(out + x), _mm_packus_epi16(words, words));
    }
    for (; x < length; x++) {
        int32_t sum = 1 << (bits - 1);
        for (intptr_t i = 0; i < count; i++) sum += rows[i * length + x] * weights[i];
        out[x] = resample_clip(sum, bits);
    }
}

#else

static inline int resample_has_avx2(void) { return 0; }
static inline void resample_rows_avx2(
    const uint8_t *_Nonnull upper, const uint8_t *_Nonnull lower, uint8_t *_Nonnull upper_out,
    uint8_t *_Nonnull lower_out, const intptr_t *_Nonnull starts, const intptr_t *_Nonnull counts,
    const int32_t *_Nonnull weights, intptr_t stride, intptr_t columns, int bits
) {}
static inline void resample_columns_avx2(
    const uint8_t *_Nonnull rows, uint8_t *_Nonnull out, const int32_t *_Nonnull weights, intptr_t count, intptr_t length,
    int bits
) {}

#endif
