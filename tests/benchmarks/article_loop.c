/* The article's iteration, fused by hand: one run of a 2-10-5-1 relu network, full batch,
 * binary cross entropy, plain gradient descent. It marks what the hardware allows one core;
 * nothing in it is general. */
#include <math.h>

#define B 300 /* samples */
#define I 2   /* inputs */
#define H 10  /* units of the first hidden layer */
#define K 5   /* units of the second */

/* A layer's row holds a unit's weights, then its bias. Samples are last: x is (I, B). */
void train(double w1[H][I + 1], double w2[K][H + 1], double w3[K + 1], const double x[I][B],
           const double y[B], long iterations, double learning_rate)
{
    static double a1[H][B], a2[K][B], d1[B], d2[K][B], d3[B];

    for (long iteration = 0; iteration < iterations; iteration++) {
        double g1[H][I + 1] = {{0}}, g2[K][H + 1] = {{0}}, g3[K + 1] = {0};

        for (int h = 0; h < H; h++)
            for (int s = 0; s < B; s++) {
                double z = w1[h][0] * x[0][s] + w1[h][1] * x[1][s] + w1[h][2];
                a1[h][s] = z > 0 ? z : 0;
            }
        for (int k = 0; k < K; k++)
            for (int s = 0; s < B; s++) {
                double z = w2[k][H];
                for (int h = 0; h < H; h++)
                    z += w2[k][h] * a1[h][s];
                a2[k][s] = z > 0 ? z : 0;
            }
        for (int s = 0; s < B; s++) {
            double z = w3[K];
            for (int k = 0; k < K; k++)
                z += w3[k] * a2[k][s];
            d3[s] = z;
        }
        for (int s = 0; s < B; s++)
            d3[s] = (1 / (1 + exp(-d3[s])) - y[s]) / B;

        for (int k = 0; k < K; k++) {
            double sum = 0;
            for (int s = 0; s < B; s++)
                sum += d3[s] * a2[k][s];
            g3[k] = sum;
        }
        for (int s = 0; s < B; s++)
            g3[K] += d3[s];
        for (int k = 0; k < K; k++)
            for (int s = 0; s < B; s++)
                d2[k][s] = a2[k][s] > 0 ? w3[k] * d3[s] : 0;
        for (int k = 0; k < K; k++) {
            for (int h = 0; h < H; h++) {
                double sum = 0;
                for (int s = 0; s < B; s++)
                    sum += d2[k][s] * a1[h][s];
                g2[k][h] = sum;
            }
            double sum = 0;
            for (int s = 0; s < B; s++)
                sum += d2[k][s];
            g2[k][H] = sum;
        }
        for (int h = 0; h < H; h++) {
            for (int s = 0; s < B; s++) {
                double sum = 0;
                for (int k = 0; k < K; k++)
                    sum += w2[k][h] * d2[k][s];
                d1[s] = a1[h][s] > 0 ? sum : 0;
            }
            double sum0 = 0, sum1 = 0, sum2 = 0;
            for (int s = 0; s < B; s++) {
                sum0 += d1[s] * x[0][s];
                sum1 += d1[s] * x[1][s];
                sum2 += d1[s];
            }
            g1[h][0] = sum0;
            g1[h][1] = sum1;
            g1[h][2] = sum2;
        }

        for (int h = 0; h < H; h++)
            for (int i = 0; i <= I; i++)
                w1[h][i] -= learning_rate * g1[h][i];
        for (int k = 0; k < K; k++)
            for (int h = 0; h <= H; h++)
                w2[k][h] -= learning_rate * g2[k][h];
        for (int k = 0; k <= K; k++)
            w3[k] -= learning_rate * g3[k];
    }
}
