/** Mixtures of experts made of checkpoints without experts. */
package dev.apus.moe.convert;
