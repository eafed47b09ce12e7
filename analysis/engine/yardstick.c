/* The loop that everything is held against: xor, vector popcount, add, on 4 x 4 tiles of 512-bit registers.

   z[m][n] = sum over k of popcount(a[m][k] ^ w[n / 64][k][n % 64]), 32 bits a word; m % 4 == 0, n % 64 == 0. */
#include <immintrin.h>
#include <stdint.h>

void product(const uint32_t *a, const uint32_t *w, int32_t *z, long m, long n, long k) {
    for (long block = 0; block < n; block += 64, w += 64 * k)
        for (long row = 0; row < m; row += 4) {
            const uint32_t *p = a + row * k;
            __m512i sum[4][4];
            for (int i = 0; i < 4; i++)
                for (int j = 0; j < 4; j++)
                    sum[i][j] = _mm512_setzero_si512();
            for (long word = 0; word < k; word++) {
                const uint32_t *q = w + 64 * word;
                __m512i b[4];
                for (int j = 0; j < 4; j++)
                    b[j] = _mm512_loadu_si512(q + 16 * j);
                for (int i = 0; i < 4; i++) {
                    __m512i x = _mm512_set1_epi32((int)p[i * k + word]);
                    for (int j = 0; j < 4; j++)
                        sum[i][j] = _mm512_add_epi32(sum[i][j], _mm512_popcnt_epi32(_mm512_xor_si512(x, b[j])));
                }
            }
            for (int i = 0; i < 4; i++)
                for (int j = 0; j < 4; j++)
                    _mm512_storeu_si512(z + (row + i) * n + block + 16 * j, sum[i][j]);
        }
}
