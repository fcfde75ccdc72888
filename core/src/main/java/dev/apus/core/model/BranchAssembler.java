package dev.apus.core.model;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Role;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.attention.CacheFormat;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Builds the branches of a network one after the other, and finds what they share. */
final class BranchAssembler {

  private final Architecture architecture;
  private final Mixers mixers;
  private final CacheFormat cache;
  private final Weights weights;
  private final LevelEmbedding level;
  private final Streams streams;
  private final Map<Place, BuiltBranch> built = new HashMap<>();
  private final Set<Place> borrowers = new HashSet<>();
  private int states;

  /** What tells a branch from all others: there, its weights and its state are found. */
  private record Place(int layer, Role role, String name, String type) {}

  /**
   * @param level what stands for the level of the noise; null if branches are not told
   */
  BranchAssembler(
      Architecture architecture,
      Mixers mixers,
      CacheFormat cache,
      Weights weights,
      LevelEmbedding level) {
    this.architecture = architecture;
    this.mixers = mixers;
    this.cache = cache;
    this.weights = weights;
    this.level = level;
    this.streams = new Streams(architecture);
  }

  Streams streams() {
    return streams;
  }

  BuiltStep step(Step step, int layer) {
    List<BuiltBranch> branches = new ArrayList<>();
    for (Branch branch : step.branches()) {
      branches.add(branch(branch, layer));
    }
    streams.endStep();
    Normalization sum = norm(step, step.sum(), ".sum", layer);
    Normalization noisySum = norm(step, step.noisySum(), ".sum.noisy", layer);
    if (noisySum != null && !architecture.hasCanvases()) {
      throw new ConfigException(
          "layer "
              + layer
              + ": noisySum is for rows of a canvas, which diffusion models have that read text"
              + " from left to right (visibility=causal)");
    }
    return new BuiltStep(
        branches,
        connection(step, layer),
        norm(step, step.residual(), ".residual", layer),
        step.keep(),
        sum,
        noisySum == null ? sum : noisySum);
  }

  /** What joins the step to several residual streams; named like its norms. */
  private HyperConnection connection(Step step, int layer) {
    HyperSpec spec = architecture.hyper();
    if (spec == null) {
      return null;
    }
    boolean plain =
        step.residual() == null
            && step.sum() == null
            && step.noisySum() == null
            && step.keep() == 1;
    if (step.branches().isEmpty() || !plain) {
      throw new ConfigException(
          String.format(
              Locale.ROOT,
              "layer %d: hyper-connections join each step to the residual streams; it needs a"
                  + " branch and can have neither residual, keep nor sum, which are for one stream",
              layer));
    }
    Branch first = step.branches().getFirst();
    String name = name(first.role()) + ".hyper";
    return HyperConnection.of(spec, name, architecture.width(), scope(first, layer));
  }

  /** A norm of the residual stream, which is named by the step's first branch. */
  private Normalization norm(Step step, NormSpec spec, String name, int layer) {
    if (spec == null) {
      return null;
    }
    String role = name(step.branches().getFirst().role());
    return Normalization.of(spec, role + name, architecture.width(), weights.layer(layer));
  }

  private BuiltBranch branch(Branch branch, int layer) {
    Streams.Flow flow = streams.flow(branch.wiring(), layer);
    WeightScope scope = scope(branch, layer);
    String role = name(branch.role());
    Normalization before = Normalization.of(branch.before(), role + ".norm", flow.normed(), scope);
    Normalization after = Normalization.of(branch.after(), role + ".after", flow.outputs(), scope);
    Modulation modulation = Modulation.of(level, role, flow.normed(), flow.outputs(), scope);
    Part part = branch.part();
    Config settings = Config.of("layer " + layer + " " + part.type(), part.settings());
    Site site =
        new Site(
            flow.inputs(),
            flow.outputs(),
            layer,
            architecture.layers().size(),
            architecture.rows(architecture.context()),
            weights.kernels(),
            cache,
            scope.scope(part.type()));
    Wiring wiring = branch.wiring();
    BuiltBranch owner = earlier(branch, layer, "stateOf", wiring.stateOf(), "a state");
    BuiltBranch chooser = earlier(branch, layer, "choiceOf", wiring.choiceOf(), "a state");
    SequenceMixer<MixerState> mixer = null;
    ChannelMixer channel = null;
    if (branch.role() == Role.MIXER) {
      mixer = mixer(branch, layer, settings, site, owner, chooser);
    } else {
      channel = require(mixers.channel(part.type()), branch, layer).build(settings, site);
    }
    if (!settings.unread().isEmpty()) {
      throw settings.error(
          "%s is not a setting of \"%s\"", settings.unread().getFirst(), part.type());
    }
    if (mixer != null) {
      requireSight(mixer, part.type(), layer);
    }
    int state = owner != null ? owner.state() : mixer == null ? -1 : states++;
    boolean owns = mixer != null && owner == null;
    var result =
        new BuiltBranch(
            mixer, state, owns, channel, before, after, modulation, branch.scale(), flow);
    built.putIfAbsent(place(branch, layer), result);
    return result;
  }

  private static String name(Role role) {
    return role.name().toLowerCase(Locale.ROOT);
  }

  private static Place place(Branch branch, int layer) {
    return new Place(layer, branch.role(), branch.wiring().name(), branch.part().type());
  }

  /** The weights of a branch, which may be another layer's. */
  private WeightScope scope(Branch branch, int layer) {
    int of = branch.wiring().weightsOf();
    if (of >= 0) {
      borrowers.add(place(branch, layer));
      Place place = place(branch, of);
      if (of >= layer || !built.containsKey(place) || borrowers.contains(place)) {
        throw error(branch, layer, "weightsOf", of, "weights");
      }
    }
    WeightScope scope = weights.layer(of < 0 ? layer : of, layer);
    String name = branch.wiring().name();
    return name.isEmpty() ? scope : scope.scope(name);
  }

  /** The branch of another layer that a key names; null if it names none. */
  private BuiltBranch earlier(Branch branch, int layer, String key, int of, String what) {
    if (of < 0) {
      return null;
    }
    BuiltBranch earlier = built.get(place(branch, of));
    if (of >= layer || earlier == null || !earlier.owner()) {
      throw error(branch, layer, key, of, what);
    }
    return earlier;
  }

  private static ConfigException error(
      Branch branch, int layer, String key, int value, String what) {
    String name = branch.wiring().name();
    return new ConfigException(
        String.format(
            Locale.ROOT,
            "layer %d: %s=%d must be an earlier layer whose %s \"%s\"%s has %s of its own",
            layer,
            key,
            value,
            branch.role() == Role.MIXER ? "mixer" : "channel mixer",
            branch.part().type(),
            name.isEmpty() ? "" : " named \"" + name + "\"",
            what));
  }

  @SuppressWarnings("unchecked")
  private SequenceMixer<MixerState> mixer(
      Branch branch,
      int layer,
      Config settings,
      Site site,
      BuiltBranch owner,
      BuiltBranch chooser) {
    MixerType type = require(mixers.mixer(branch.part().type()), branch, layer);
    if (owner != null && chooser != null) {
      throw settings.error("who reads another layer's state (stateOf) cannot have choiceOf");
    }
    return (SequenceMixer<MixerState>)
        (owner != null
            ? type.build(settings, site, owner.mixer())
            : chooser != null
                ? type.buildFollowing(settings, site, chooser.mixer())
                : type.build(settings, site));
  }

  /** Refuses a mixer that cannot see what the model's tokens see. */
  private void requireSight(SequenceMixer<?> mixer, String name, int layer) {
    Set<Visibility> needed = EnumSet.of(architecture.visibility());
    if (architecture.diffusion() != null) {
      needed.add(architecture.hasCanvases() ? Visibility.TOGETHER : Visibility.SURROUNDED);
    }
    if (cache.settles() && !needed.equals(Set.of(Visibility.CAUSAL))) {
      throw new ConfigException(
          String.format(
              Locale.ROOT,
              "keys and values as %s are for tokens that see what came before them; those of %s"
                  + " also see what comes after: keep them as f32 or bf16",
              cache,
              architecture.family()));
    }
    if (mixer.visibilities().containsAll(needed)) {
      return;
    }
    throw new ConfigException(
        String.format(
            Locale.ROOT,
            architecture.diffusion() != null
                ? "layer %d: the mixer \"%s\" cannot look ahead from any row, and the tokens of a"
                    + " diffusion model see what stands after them; attention can"
                : architecture.isEncoder()
                    ? "layer %d: the mixer \"%s\" cannot look ahead, and tokens of an encoder"
                        + " (visibility=bidirectional) see the whole text; attention can"
                    : "layer %d: the mixer \"%s\" needs the whole text, and a causal model sees"
                        + " what came before; say visibility=bidirectional to make an encoder of"
                        + " it",
            layer,
            name));
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
