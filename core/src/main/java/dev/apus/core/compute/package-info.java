/** Threads and scratch memory of forward passes. */
package dev.apus.core.compute;
