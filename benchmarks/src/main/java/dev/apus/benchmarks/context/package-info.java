/**
 * Measures how the cost of a token grows with what came before it, for layers that remember in
 * different ways.
 */
package dev.apus.benchmarks.context;
