package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Diffusion;
import dev.apus.core.model.Diffusion.Output;
import dev.apus.core.model.NoiseLevels;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * SEDD, which gives ratios of probabilities at the level of noise that it is told. Its configs are
 * those of its training.
 *
 * @see <a href="https://arxiv.org/abs/2310.16834">Discrete Diffusion Modeling by Estimating the
 *     Ratios of the Data Distribution</a>
 */
final class Sedd implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("SEDD", "sedd");
  }

  @Override
  public boolean recognizes(Config config) {
    return config.hasSection("graph") && config.hasSection("noise") && config.has("tokens");
  }

  @Override
  public Architecture describe(Config c) {
    // Training, and what its authors evaluated.
    c.ignore("data", "eval", "ngpus", "optim", "sampling", "training", "wandb_name", "work_dir");
    Config graph = c.section("graph");
    graph.ignore("file", "report_all");
    boolean absorbs = graph.choice("type", "absorb", "absorb", "uniform").equals("absorb");
    int tokens = c.positive("tokens");
    Config model = c.section("model");
    model.ignore("name");
    model.choice("type", "ddit", "ddit");
    boolean scaled = model.flag("scale_by_sigma");
    if (scaled && !absorbs) {
      throw model.errorAt("scale_by_sigma", "scale_by_sigma=true needs the graph \"absorb\"");
    }
    Diffusion diffusion =
        (absorbs ? Diffusion.masked(tokens) : Diffusion.uniform())
            .giving(scaled ? Output.SCALED_SCORES : Output.SCORES)
            .withLevels(levels(c.section("noise")))
            .modulated(DiffusionTransformer.modulation(model, true));
    return DiffusionTransformer.describe(
        model, "sedd", "hidden_size", "length", absorbs ? tokens + 1 : tokens, diffusion);
  }

  private static NoiseLevels levels(Config noise) {
    String type = noise.choice("type", "loglinear", "loglinear", "geometric");
    if (type.equals("loglinear")) {
      noise.ignore("sigma_min", "sigma_max");
      return NoiseLevels.STANDARD;
    }
    try {
      return NoiseLevels.geometric(noise.number("sigma_min"), noise.number("sigma_max"));
    } catch (IllegalArgumentException e) {
      throw noise.errorAt("sigma_max", "%s", e.getMessage());
    }
  }

  @Override
  public WeightNames weights(Config c) {
    return DiffusionTransformer.names("", c.section("model").positive("hidden_size"));
  }
}
