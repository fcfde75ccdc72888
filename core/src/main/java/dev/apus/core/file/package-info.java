/** The files that hold checkpoints: safetensors and GGUF, mapped read-only. */
package dev.apus.core.file;
