/** Mixing by Fourier transforms. */
package dev.apus.attention.fourier;
