/**
 * Structured state spaces: linear systems whose matrix is a complex diagonal, or such a diagonal
 * and a matrix of rank one, that do not change with the input.
 */
package dev.apus.ssm.structured;
