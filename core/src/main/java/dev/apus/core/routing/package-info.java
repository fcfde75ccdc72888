/** Choices of a few among many for each token: of experts, or of memories. */
package dev.apus.core.routing;
