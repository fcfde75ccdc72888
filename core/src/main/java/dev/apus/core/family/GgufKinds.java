package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.family.GgufLayout.Reading;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightException;
import dev.apus.core.weight.WeightList;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/** All kinds of GGUF files, among them one that may be able to say what a model is. */
final class GgufKinds {

  private static final List<String> FALSE_IF_ABSENT = List.of("biased", "outBiased");

  /** How many things a message names that a kind of file has no word for. */
  private static final int NAMED = 4;

  private final Map<String, GgufFamily> known;
  private final Families families;

  GgufKinds(Map<String, GgufFamily> known, Families families) {
    this.known = known;
    this.families = families;
  }

  /**
   * The layout of the first kind of files that can say what a model is, of its own family if there
   * is one.
   *
   * @param weights what the model asks for
   * @throws ConfigException if there is none, which names what the kind of its family cannot say
   */
  GgufLayout of(Architecture model, WeightList weights) {
    List<String> reasons = new ArrayList<>();
    GgufLayout layout = model.isEncoder() ? null : find(model, weights, reasons);
    if (layout == null) {
      throw new ConfigException(
          String.format(
              Locale.ROOT,
              "no kind of GGUF file that is known (%s) can say what a model of the family %s is%s;"
                  + " write a folder instead",
              String.join(", ", new TreeSet<>(known.keySet())),
              model.family(),
              reasons.isEmpty() ? "" : " (" + String.join("; ", reasons) + ")"));
    }
    return layout;
  }

  /** The layout, or null; then the reasons say why, as far as the model's own kind is concerned. */
  private GgufLayout find(Architecture model, WeightList weights, List<String> reasons) {
    Architecture wanted = plain(model);
    GgufLayout other = null;
    for (Map.Entry<String, GgufFamily> kind : known.entrySet()) {
      try {
        Reading reading = GgufLayout.read(model, weights, kind.getKey(), kind.getValue(), families);
        boolean own = reading.model().family().equals(model.family());
        if (!plain(reading.model()).equals(wanted)) {
          if (own) {
            reasons.add(kind.getKey() + ": " + differences(wanted, plain(reading.model())));
          }
        } else if (own) {
          return reading.layout();
        } else if (other == null) {
          other = reading.layout();
        }
      } catch (ConfigException | WeightException e) {
        if (letters(kind.getKey()).equals(letters(model.family()))) {
          reasons.add(kind.getKey() + ": " + e.getMessage());
        }
      }
    }
    return other;
  }

  private static String letters(String name) {
    return name.replaceAll("[^a-z0-9]", "");
  }

  private static String differences(Architecture wanted, Architecture found) {
    Map<String, Object> one = leaves(wanted);
    Map<String, Object> two = leaves(found);
    TreeSet<String> names = new TreeSet<>(one.keySet());
    names.addAll(two.keySet());
    Map<String, String> differences = new LinkedHashMap<>();
    for (String name : names) {
      if (!String.valueOf(one.get(name)).equals(String.valueOf(two.get(name)))) {
        differences.putIfAbsent(
            name.replaceFirst("^layers\\.\\d+\\.", "layers."),
            one.containsKey(name)
                ? "no word for " + name + "=" + one.get(name)
                : "nothing without " + name + "=" + two.get(name));
      }
    }
    return "it has "
        + String.join(", ", differences.values().stream().limit(NAMED).toList())
        + (differences.size() > NAMED ? ", …" : "");
  }

  /** The values of a document by where they are. */
  private static Map<String, Object> leaves(Architecture model) {
    byte[] json = model.toJson().getBytes(StandardCharsets.UTF_8);
    Map<String, Object> document = new LinkedHashMap<>(Config.parse("architecture", json).asMap());
    List<Object> layers = new ArrayList<>();
    for (Object layer : (List<?>) document.get("layers")) {
      Map<String, Object> one = new LinkedHashMap<>(asMap(layer));
      int count = ((Number) one.remove("repeat")).intValue();
      for (int i = 0; i < count; i++) {
        layers.add(one);
      }
    }
    document.put("layers", layers);
    Map<String, Object> leaves = new LinkedHashMap<>();
    collect("", document, leaves);
    leaves.remove("family");
    return leaves;
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> asMap(Object section) {
    return (Map<String, Object>) section;
  }

  private static void collect(String path, Object value, Map<String, Object> leaves) {
    switch (value) {
      case Map<?, ?> map -> map.forEach((key, one) -> collect(path + "." + key, one, leaves));
      case List<?> list when list.stream().anyMatch(Map.class::isInstance) -> {
        for (int i = 0; i < list.size(); i++) {
          collect(path + "." + i, list.get(i), leaves);
        }
      }
      case null -> leaves.put(path.substring(1), "null");
      default -> leaves.put(path.substring(1), value);
    }
  }

  /**
   * The model without its name, with settings left out that say what is so anyway, with the base of
   * the rotation as the float that files hold, and Llama 3's rule as the factors it gives.
   */
  private static Architecture plain(Architecture a) {
    float[] factors = new GgufMetadata(a, "").factors();
    List<Layer> layers =
        a.layers().stream()
            .map(
                layer ->
                    new Layer(
                        layer.steps().stream()
                            .map(
                                step ->
                                    step.with(
                                        step.branches().stream()
                                            .map(branch -> plain(branch, factors))
                                            .toList()))
                            .toList()))
            .toList();
    return new Architecture(
        "",
        a.vocabulary(),
        a.width(),
        a.context(),
        a.visibility(),
        a.embedding(),
        a.streams(),
        a.hyper(),
        layers,
        a.ends(),
        a.norm(),
        a.head(),
        a.diffusion());
  }

  private static Branch plain(Branch branch, float[] factors) {
    Map<String, Object> settings = new LinkedHashMap<>(branch.part().settings());
    settings
        .keySet()
        .removeIf(key -> FALSE_IF_ABSENT.contains(key) && Boolean.FALSE.equals(settings.get(key)));
    if (settings.get("rope") instanceof Map<?, ?> rope) {
      settings.put("rope", plain(asMap(rope), factors));
    }
    return branch.with(new Part(branch.part().type(), settings));
  }

  private static Map<String, Object> plain(Map<String, Object> rope, float[] factors) {
    Map<String, Object> plain = new LinkedHashMap<>(rope);
    if (rope.get("theta") instanceof Number theta) {
      plain.put("theta", Double.valueOf(Float.toString(theta.floatValue())));
    }
    if (factors.length > 0) {
      plain.keySet().retainAll(List.of("theta", "dims"));
      plain.put("type", "factors");
      List<Double> list = new ArrayList<>();
      for (float factor : factors) {
        list.add((double) factor);
      }
      plain.put("factors", list);
    }
    return plain;
  }
}
