/** Denoising decoders and their caches. */
module dev.apus.diffusion {
  requires transitive dev.apus.core;

  exports dev.apus.diffusion;
}
