/** Benchmarks; exported to nobody. */
module dev.apus.benchmarks {
  requires com.fasterxml.jackson.databind;
  requires dev.apus.core;
  requires dev.apus.diffusion;
  requires dev.apus.fable;
  requires dev.apus.kernels;
  requires dev.apus.moe;
  requires dev.apus.structure;
  requires info.picocli;
  requires java.xml;
  requires jmh.core;

  uses dev.apus.core.model.ChannelType;
  uses dev.apus.core.model.MixerType;

  opens dev.apus.benchmarks.approximation to
      info.picocli;
  opens dev.apus.benchmarks.context to
      info.picocli;
  opens dev.apus.benchmarks.policies to
      info.picocli;
  opens dev.apus.benchmarks.compare to
      com.fasterxml.jackson.databind,
      info.picocli;
  opens dev.apus.benchmarks.denoising to
      info.picocli;
}
