package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture.Role;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.attention.CacheFormat;
import java.util.Arrays;

/**
 * {@link Diffusion.Conditioning} made to run.
 *
 * @param sum or null
 */
record BuiltConditioning(Normalization norm, ChannelMixer channel, Normalization sum) {

  private static final String NAME = "conditioning";

  /** What the architecture's diffusion has; null if it has none. */
  static BuiltConditioning of(
      Architecture architecture, Mixers mixers, CacheFormat cache, Weights weights) {
    Diffusion diffusion = architecture.diffusion();
    Diffusion.Conditioning spec = diffusion == null ? null : diffusion.conditioning();
    if (spec == null) {
      return null;
    }
    if (!architecture.hasCanvases()) {
      throw new ConfigException(
          "diffusion: conditioning is for rows of a canvas, which models have that read text from"
              + " left to right (visibility=causal)");
    }
    int width = architecture.width();
    int context = architecture.rows(architecture.context());
    WeightScope root = weights.root();
    Part part = spec.channel();
    ChannelType type = mixers.channel(part.type());
    if (type == null) {
      throw new ConfigException(
          "diffusion: conditioning needs the channel mixer \""
              + part.type()
              + "\"; installed: "
              + mixers.names()
              + ". Add "
              + Mixers.provider(Role.CHANNEL, part.type()));
    }
    Config settings = Config.of(NAME + " " + part.type(), part.settings());
    WeightScope own = root.scope(NAME).scope(part.type());
    ChannelMixer channel =
        type.build(settings, new Site(width, width, 0, context, weights.kernels(), cache, own));
    if (!settings.unread().isEmpty()) {
      throw settings.error(
          "%s is not a setting of \"%s\"", settings.unread().getFirst(), part.type());
    }
    return new BuiltConditioning(
        Normalization.of(spec.norm(), NAME + ".norm", width, root),
        channel,
        Normalization.of(spec.sum(), NAME + ".sum", width, root));
  }

  /**
   * Makes the embeddings of noisy rows know what was expected of them.
   *
   * @param expected the mean embedding of each row; null for 0
   */
  void apply(Pass pass, Matrix expected, Matrix x) {
    try (Pass.Frame frame = pass.frame()) {
      Matrix normed = frame.matrix(x.rows(), x.cols());
      Matrix signal = frame.matrix(x.rows(), x.cols());
      if (expected == null) {
        Arrays.fill(normed.data(), 0, normed.at(x.rows()), 0);
      }
      norm.rows(pass, expected == null ? normed : expected, normed);
      channel.forward(pass, normed, signal);
      pass.kernels().activations().addScaled(1, signal.data(), 0, x.data(), 0, x.rows() * x.cols());
      if (sum != null) {
        sum.rows(pass, x, x);
      }
    }
  }
}
