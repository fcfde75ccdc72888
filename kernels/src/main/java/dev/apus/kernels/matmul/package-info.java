/**
 * Matrix products with stored weights: {@code y = x · Wᵀ}, one class for each way to compute it.
 */
package dev.apus.kernels.matmul;
