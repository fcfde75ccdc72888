/** Measures how near linear attention with random features comes to softmax attention. */
package dev.apus.benchmarks.approximation;
