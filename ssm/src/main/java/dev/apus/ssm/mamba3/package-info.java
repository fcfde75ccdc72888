/** Mamba-3: a matrix memory of which each write is spread over two tokens, and turning keys. */
package dev.apus.ssm.mamba3;
