package dev.apus.core.model;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Role;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.RowTable;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.attention.CacheFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Builds the network that an architecture describes, part by part, from its weights. */
public final class ModelAssembler {

  private final Architecture architecture;
  private final Mixers mixers;
  private final CacheFormat cache;
  private final Weights weights;
  private int states;

  private ModelAssembler(
      Architecture architecture, Mixers mixers, CacheFormat cache, Weights weights) {
    this.architecture = architecture;
    this.mixers = mixers;
    this.cache = cache;
    this.weights = weights;
  }

  /**
   * Builds a network.
   *
   * @param cache how its sequences keep keys and values
   * @throws ConfigException if a part is not installed or cannot run as its settings say
   * @throws dev.apus.core.weight.WeightException if a weight is missing, has another shape, or is
   *     not read by any part
   */
  public static Network assemble(
      Architecture architecture, Mixers mixers, CacheFormat cache, Weights weights) {
    return new ModelAssembler(architecture, mixers, cache, weights).assemble();
  }

  private Network assemble() {
    int width = architecture.width();
    int vocabulary = architecture.vocabulary();
    int learned = architecture.embedding().positions();
    WeightScope root = weights.root();
    Architecture.Head spec = architecture.head();
    // Tied, it is packed as the head, and rows are read from there.
    Projection tied =
        spec.tied() ? root.projection("embedding", vocabulary, width, spec.biased()) : null;
    RowTable embedding =
        tied == null ? root.lookup("embedding", vocabulary, width) : RowTable.of(tied);
    RowTable positions = learned == 0 ? null : root.lookup("positions", learned, width);
    Normalization embeddingNorm =
        Normalization.of(architecture.embedding().norm(), "embedding.norm", width, root);
    List<Network.BuiltStep> steps = new ArrayList<>();
    for (int i = 0; i < architecture.layers().size(); i++) {
      Layer layer = architecture.layers().get(i);
      for (Step step : layer.steps()) {
        steps.add(built(step, i));
      }
    }
    Projection head =
        tied == null ? root.projection("head", vocabulary, width, spec.biased()) : tied;
    Normalization norm = Normalization.of(architecture.norm(), "norm", width, root);
    if (tied != null) {
      weights.expectCopy("head", "embedding", vocabulary, width);
    }
    weights.expectAllRead();
    return new Network(architecture, embedding, positions, embeddingNorm, steps, norm, head);
  }

  private Network.BuiltStep built(Step step, int layer) {
    List<Network.BuiltBranch> branches = new ArrayList<>();
    for (Branch branch : step.branches()) {
      branches.add(branch(branch, layer));
    }
    if (step.residual() == null) {
      return new Network.BuiltStep(branches, null);
    }
    String name = name(step.branches().getFirst().role()) + ".residual";
    return new Network.BuiltStep(
        branches,
        Normalization.of(step.residual(), name, architecture.width(), weights.layer(layer)));
  }

  private static String name(Role role) {
    return role.name().toLowerCase(Locale.ROOT);
  }

  @SuppressWarnings("unchecked")
  private Network.BuiltBranch branch(Branch branch, int layer) {
    WeightScope scope = weights.layer(layer);
    String role = name(branch.role());
    int width = architecture.width();
    Normalization before = Normalization.of(branch.before(), role + ".norm", width, scope);
    Normalization after = Normalization.of(branch.after(), role + ".after", width, scope);
    Part part = branch.part();
    Config settings = Config.of("layer " + layer + " " + part.type(), part.settings());
    Site site =
        new Site(
            width,
            layer,
            architecture.context(),
            weights.kernels(),
            cache,
            scope.scope(part.type()));
    SequenceMixer<MixerState> mixer = null;
    ChannelMixer channel = null;
    if (branch.role() == Role.MIXER) {
      MixerType type = mixers.mixer(part.type());
      mixer = (SequenceMixer<MixerState>) require(type, branch, layer).build(settings, site);
    } else {
      channel = require(mixers.channel(part.type()), branch, layer).build(settings, site);
    }
    if (!settings.unread().isEmpty()) {
      throw settings.error(
          "%s is not a setting of \"%s\"", settings.unread().getFirst(), part.type());
    }
    int state = mixer == null ? -1 : states++;
    return new Network.BuiltBranch(mixer, state, channel, before, after, branch.scale());
  }

  private <T> T require(T type, Branch branch, int layer) {
    if (type == null) {
      String name = branch.part().type();
      throw new ConfigException(
          String.format(
              Locale.ROOT,
              "layer %d needs the %s \"%s\"; installed: %s. Add %s",
              layer,
              branch.role() == Role.MIXER ? "mixer" : "channel mixer",
              name,
              mixers.names(),
              Mixers.provider(branch.role(), name)));
    }
    return type;
  }
}
