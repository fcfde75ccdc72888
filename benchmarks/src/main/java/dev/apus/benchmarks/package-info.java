/** JMH benchmarks: one for each kernel. */
package dev.apus.benchmarks;
