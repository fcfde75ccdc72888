/**
 * Families of checkpoints: each two tables, one from a config's settings to an {@link
 * dev.apus.core.model.Architecture}, one from a file's tensor names to ours. Families that come as
 * GGUF files too have two more: from metadata keys to the settings, and from the tensor names
 * there.
 */
package dev.apus.core.family;
