/** Threads, scratch memory and cancellation of forward passes. */
package dev.apus.core.compute;
