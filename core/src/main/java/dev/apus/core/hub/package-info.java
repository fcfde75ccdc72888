/**
 * Getting models from a hub in the manner of Hugging Face, into the cache that other tools share.
 */
package dev.apus.core.hub;
