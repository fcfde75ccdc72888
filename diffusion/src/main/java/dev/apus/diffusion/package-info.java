/** Denoising decoders and their caches. */
package dev.apus.diffusion;
