/** State-space models from S4 to Mamba-3, and the short convolutions that go with them. */
module dev.apus.ssm {
  requires transitive dev.apus.core;

  provides dev.apus.core.model.MixerType with
      dev.apus.ssm.Convolution.Type,
      dev.apus.ssm.GatedConvolution.Type,
      dev.apus.ssm.Mamba.Type,
      dev.apus.ssm.Mamba2.Type,
      dev.apus.ssm.hyena.Hyena.Type,
      dev.apus.ssm.mamba3.Mamba3.Type,
      dev.apus.ssm.structured.H3.Type,
      dev.apus.ssm.structured.S4.Type,
      dev.apus.ssm.structured.S5.Type;
}
