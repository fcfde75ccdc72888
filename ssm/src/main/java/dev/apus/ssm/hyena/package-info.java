/** Hyena: products and convolutions with filters as long as the sequence. */
package dev.apus.ssm.hyena;
