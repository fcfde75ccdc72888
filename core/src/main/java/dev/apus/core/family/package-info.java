/**
 * Families of checkpoints: each two tables, one from a config's settings to an {@link
 * dev.apus.core.model.Architecture}, one from a file's tensor names to ours.
 */
package dev.apus.core.family;
