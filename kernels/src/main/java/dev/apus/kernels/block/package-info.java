/** Weight formats and the codecs of their blocks, in the bit layouts of GGUF. */
package dev.apus.kernels.block;
