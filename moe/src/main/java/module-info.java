/** Mixtures of experts: routers, experts, and which experts stay in memory. */
module dev.apus.moe {
  requires transitive dev.apus.core;

  exports dev.apus.moe.convert;

  provides dev.apus.core.model.ChannelType with
      dev.apus.moe.MixtureOfExperts.Type,
      dev.apus.moe.ProductKeys.Type;
  provides dev.apus.core.model.MixerType with
      dev.apus.moe.ExpertChoice.Type,
      dev.apus.moe.SoftMixture.Type;
}
