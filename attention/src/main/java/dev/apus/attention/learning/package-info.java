/** Mixers that learn while they read: test-time training, and neural memories. */
package dev.apus.attention.learning;
