/** Benchmarks; exported to nobody. */
module dev.apus.benchmarks {
  requires dev.apus.kernels;
  requires jmh.core;
}
