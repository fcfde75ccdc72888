/** Measures attention policies: how many keys are visited, in what time, and what that changes. */
package dev.apus.benchmarks.policies;
