/**
 * The functions and sums that several kernels share, each in a scalar and a Vector API form of the
 * same bits.
 */
package dev.apus.kernels.math;
