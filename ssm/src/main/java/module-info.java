/** State-space models from S4 to Mamba-3, and the short convolutions that go with them. */
module dev.apus.ssm {
  requires transitive dev.apus.core;

  provides dev.apus.core.model.MixerType with
      dev.apus.ssm.Mamba.Type,
      dev.apus.ssm.Mamba2.Type;
}
