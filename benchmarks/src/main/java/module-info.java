/** Benchmarks; exported to nobody. */
module dev.apus.benchmarks {
  requires dev.apus.core;
  requires dev.apus.kernels;
  requires dev.apus.moe;
  requires jmh.core;

  uses dev.apus.core.model.ChannelType;
}
