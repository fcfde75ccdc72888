/** What rules and caches of diffusion models gain in speed and cost in likelihood. */
package dev.apus.benchmarks.denoising;
