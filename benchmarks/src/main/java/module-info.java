/** Benchmarks; exported to nobody. */
module dev.apus.benchmarks {
  requires dev.apus.cli;
}
