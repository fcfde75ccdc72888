package dev.apus.core.weight;

/** Where the matrices of a model lie while it computes; it changes no bit of what it computes. */
public enum Placement {
  /**
   * In memory of their own, repacked for the kernels: the fastest, and about as large as the file.
   */
  PACKED,

  /**
   * In the mapped file, as pages that the system may drop and read again; every product repacks
   * what it passes. For models that would not fit beside their own file, or are used once.
   */
  MAPPED
}
