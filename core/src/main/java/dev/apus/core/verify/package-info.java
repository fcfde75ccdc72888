/** Checks checkpoints against answers that a reference implementation gave. */
package dev.apus.core.verify;
