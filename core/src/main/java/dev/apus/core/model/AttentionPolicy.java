package dev.apus.core.model;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Role;
import dev.apus.core.model.Architecture.Step;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Which keys the queries of a model visit, when somebody asks for other ones than its makers did.
 *
 * <p>It is written {@code name:key=value,key=value}, such as {@code quest:page=16,budget=1024}, and
 * is the section {@code select} that every layer gets which attends to all of its tokens: layers
 * with a window or a selection of their own keep these.
 *
 * @param kind the name of the selection
 * @param settings of that selection
 */
public record AttentionPolicy(String kind, Map<String, Object> settings) {

  /** What the model's makers said. */
  public static final AttentionPolicy FULL = new AttentionPolicy("full", Map.of());

  public AttentionPolicy {
    settings = new Part(kind, settings).settings();
  }

  /**
   * Reads the written form.
   *
   * @throws ConfigException if it is malformed; whether there is such a policy turns out when a
   *     model is opened
   */
  public static AttentionPolicy parse(String text) {
    int colon = text.indexOf(':');
    String kind = colon < 0 ? text : text.substring(0, colon);
    Map<String, Object> settings = new LinkedHashMap<>();
    if (colon >= 0) {
      for (String setting : text.substring(colon + 1).split(",", -1)) {
        int equals = setting.indexOf('=');
        String key = equals < 0 ? "" : setting.substring(0, equals).strip();
        if (key.isEmpty() || key.equals("kind")) {
          throw malformed(text, "\"" + setting + "\" is not key=value");
        }
        if (settings.put(key, value(setting.substring(equals + 1).strip())) != null) {
          throw malformed(text, key + " is there twice");
        }
      }
    }
    if (kind.isBlank()) {
      throw malformed(text, "it has no name");
    }
    AttentionPolicy policy = new AttentionPolicy(kind.strip(), settings);
    if (policy.isFull() && !settings.isEmpty()) {
      throw malformed(text, "full has no settings");
    }
    return policy;
  }

  private static ConfigException malformed(String text, String what) {
    return new ConfigException(
        "attention \"" + text + "\": " + what + "; needed: NAME or NAME:KEY=VALUE,KEY=VALUE");
  }

  private static Object value(String text) {
    if (text.equals("true") || text.equals("false")) {
      return Boolean.valueOf(text);
    }
    if (text.matches("[-+]?[0-9]{1,18}")) {
      return Long.valueOf(text);
    }
    if (text.matches("[-+]?[0-9]*\\.?[0-9]+([eE][-+]?[0-9]+)?")) {
      return Double.valueOf(text);
    }
    return text;
  }

  /** Whether nothing is asked for. */
  public boolean isFull() {
    return kind.equals(FULL.kind);
  }

  /** The written form. */
  @Override
  public String toString() {
    return settings.isEmpty()
        ? kind
        : settings.entrySet().stream()
            .map(setting -> setting.getKey() + "=" + setting.getValue())
            .collect(Collectors.joining(",", kind + ":", ""));
  }

  /**
   * A model with this policy.
   *
   * @throws ConfigException if no layer of it can follow one
   */
  public Architecture over(Architecture model, Mixers mixers) {
    if (isFull()) {
      return model;
    }
    if (model.visibility() != Visibility.CAUSAL || model.diffusion() != null) {
      throw new ConfigException(
          "attention "
              + this
              + " is for tokens that see what came before them; those of "
              + model.family()
              + " also see what comes after");
    }
    Map<String, Object> select = new LinkedHashMap<>();
    select.put("kind", kind);
    select.putAll(settings);
    List<Layer> layers =
        model.layers().stream()
            .map(
                layer ->
                    new Layer(layer.steps().stream().map(s -> over(s, select, mixers)).toList()))
            .toList();
    if (!knowsAll(model, mixers)) {
      // Whoever builds the network says which part is missing.
      return model;
    }
    if (layers.equals(model.layers())) {
      throw new ConfigException(
          String.format(
              Locale.ROOT,
              "attention %s: no layer of %s attends to all tokens by softmax, which is what a"
                  + " policy is for; its mixers: %s",
              this,
              model.family(),
              String.join(", ", mixers(model))));
    }
    return model.withLayers(layers);
  }

  private static Step over(Step step, Map<String, Object> select, Mixers mixers) {
    List<Branch> branches =
        step.branches().stream().map(branch -> over(branch, select, mixers)).toList();
    return step.with(branches);
  }

  private static Branch over(Branch branch, Map<String, Object> select, Mixers mixers) {
    Part part = branch.part();
    MixerType type = branch.role() == Role.MIXER ? mixers.mixer(part.type()) : null;
    boolean chooses = branch.wiring().choiceOf() < 0;
    return type != null && chooses && type.takesSelection(part.settings())
        ? branch.with(part.with("select", select))
        : branch;
  }

  private static boolean knowsAll(Architecture model, Mixers mixers) {
    return mixers(model).stream().allMatch(name -> mixers.mixer(name) != null);
  }

  private static Set<String> mixers(Architecture model) {
    var names = new TreeSet<String>();
    for (Layer layer : model.layers()) {
      for (Step step : layer.steps()) {
        for (Branch branch : step.branches()) {
          if (branch.role() == Role.MIXER) {
            names.add(branch.part().type());
          }
        }
      }
    }
    return names;
  }
}
