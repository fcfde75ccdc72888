/**
 * Measures Apus and other engines on the same model files, by turns.
 *
 * <p>All of them run the same tests: {@code pp512} computes a prompt of 512 tokens and the logits
 * after its last one; {@code tg48} feeds 48 tokens one at a time and computes the logits after
 * each. Tokens are arbitrary, nothing is tokenized, and nothing but the computation is timed.
 * {@code @ d1024} behind a test means that 1024 tokens were read before it, untimed; without it, a
 * test begins with an empty context.
 */
package dev.apus.benchmarks.compare;
