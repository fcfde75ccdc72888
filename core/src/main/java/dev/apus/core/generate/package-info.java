/**
 * From logits to text: choosing tokens, stopping, streaming.
 *
 * <p>A {@link dev.apus.core.generate.Generation} pulls logits from a {@link
 * dev.apus.core.generate.TokenSource}, lets a {@link dev.apus.core.generate.Sampler} choose, and
 * hands out {@link dev.apus.core.generate.Token}s. The arithmetic between logits and choice uses
 * only operations that IEEE 754 or a formula of this package defines, so the same logits, sampling
 * and seed give the same tokens on every machine.
 */
package dev.apus.core.generate;
