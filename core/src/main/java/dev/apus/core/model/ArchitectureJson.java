package dev.apus.core.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Role;
import dev.apus.core.model.Architecture.Step;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The JSON form of an {@link Architecture}. Layers that repeat are written once, with a count. */
final class ArchitectureJson {

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private ArchitectureJson() {}

  static String print(Architecture a) {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("family", a.family());
    document.put("vocabulary", a.vocabulary());
    document.put("width", a.width());
    document.put("context", a.context());
    if (a.visibility() != Visibility.CAUSAL) {
      document.put("visibility", word(a.visibility()));
    }
    putIfThere(document, "diffusion", a.diffusion() == null ? null : a.diffusion().toMap());
    document.put("embedding", embedding(a.embedding()));
    if (!a.streams().isEmpty()) {
      document.put("streams", a.streams());
    }
    putIfThere(document, "hyperConnections", a.hyper() == null ? null : a.hyper().toMap());
    document.put("layers", layers(a.layers()));
    boolean plain = a.ends().equals(Wiring.PLAIN.reads());
    putIfThere(document, "ends", plain ? null : a.ends().toJson());
    document.put("norm", norm(a.norm()));
    putIfThere(document, "head", a.head() == null ? null : head(a.head()));
    try {
      return JSON.writeValueAsString(document);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("an architecture holds only values that JSON knows", e);
    }
  }

  private static String word(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private static Map<String, Object> embedding(Embedding e) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("scale", e.scale());
    map.put("positions", e.positions());
    putIfThere(map, "norm", norm(e.norm()));
    putIfThere(map, "metaTokens", e.metaTokens() == 0 ? null : e.metaTokens());
    putIfThere(map, "skipped", e.skipped() == 0 ? null : e.skipped());
    putIfThere(map, "types", e.types() == 0 ? null : e.types());
    if (e.axes() != null) {
      Map<String, Object> axes = new LinkedHashMap<>();
      axes.put("lines", e.axes().lines());
      axes.put("columns", e.axes().columns());
      axes.put("lineWidth", e.axes().lineWidth());
      map.put("axes", axes);
    }
    return map;
  }

  private static Map<String, Object> head(Head h) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("tied", h.tied());
    map.put("biased", h.biased());
    map.put("scale", h.scale());
    map.put("softcap", h.softcap());
    if (h.transform() != null) {
      Map<String, Object> transform = new LinkedHashMap<>();
      transform.put("activation", h.transform().activation());
      transform.put("biased", h.transform().biased());
      putIfThere(transform, "norm", norm(h.transform().norm()));
      map.put("transform", transform);
    }
    return map;
  }

  private static List<Object> layers(List<Layer> layers) {
    List<Object> list = new ArrayList<>();
    for (int from = 0, to; from < layers.size(); from = to) {
      to = from + 1;
      while (to < layers.size() && layers.get(to).equals(layers.get(from))) {
        to++;
      }
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("repeat", to - from);
      map.put("steps", layers.get(from).steps().stream().map(ArchitectureJson::step).toList());
      list.add(map);
    }
    return list;
  }

  private static Map<String, Object> step(Step step) {
    List<Map<String, Object>> branches =
        step.branches().stream().map(ArchitectureJson::branch).toList();
    Map<String, Object> map =
        branches.size() == 1
            ? branches.getFirst()
            : new LinkedHashMap<>(Map.of("parallel", branches));
    putIfThere(map, "residual", norm(step.residual()));
    putIfThere(map, "keep", step.keep() == 1 ? null : step.keep());
    putIfThere(map, "sum", norm(step.sum()));
    putIfThere(map, "noisySum", norm(step.noisySum()));
    return map;
  }

  private static Map<String, Object> branch(Branch branch) {
    Map<String, Object> wiring = branch.wiring().toMap();
    Map<String, Object> map = new LinkedHashMap<>();
    for (String key : List.of("name", "reads")) {
      putIfThere(map, key, wiring.remove(key));
    }
    putIfThere(map, "norm", norm(branch.before()));
    Map<String, Object> part = new LinkedHashMap<>();
    part.put("type", branch.part().type());
    part.putAll(branch.part().settings());
    map.put(word(branch.role()), part);
    putIfThere(map, "after", norm(branch.after()));
    map.put("scale", branch.scale());
    map.putAll(wiring);
    return map;
  }

  private static Map<String, Object> norm(NormSpec n) {
    return n == null ? null : n.toMap();
  }

  private static void putIfThere(Map<String, Object> map, String key, Object value) {
    if (value != null) {
      map.put(key, value);
    }
  }

  static Architecture read(Config c) {
    Config embedding = c.section("embedding");
    Visibility visibility =
        Visibility.valueOf(
            c.choice("visibility", "causal", "causal", "bidirectional").toUpperCase(Locale.ROOT));
    Diffusion diffusion =
        c.has("diffusion")
            ? Diffusion.read(c.section("diffusion"), c.positive("vocabulary"))
            : null;
    boolean encoder = visibility == Visibility.BIDIRECTIONAL && diffusion == null;
    boolean headless = encoder && !c.has("head");
    List<Layer> layers = new ArrayList<>();
    for (Config layer : c.sections("layers")) {
      int repeat = layer.positive("repeat", 1);
      if (repeat > Architecture.MOST_LAYERS - layers.size()) {
        throw c.errorAt("layers", "layers must be at most %d in all", Architecture.MOST_LAYERS);
      }
      List<Step> steps = new ArrayList<>();
      for (Config step : layer.sections("steps")) {
        List<Config> branches = step.has("parallel") ? step.sections("parallel") : List.of(step);
        for (String key : List.of("residual", "sum", "noisySum")) {
          if (branches.isEmpty() && step.has(key)) {
            throw step.errorAt(key, "%s needs a branch, and parallel is empty", key);
          }
        }
        steps.add(
            new Step(
                branches.stream().map(ArchitectureJson::branch).toList(),
                norm(step, "residual"),
                step.real("keep", 1),
                norm(step, "sum"),
                norm(step, "noisySum")));
      }
      for (int i = 0; i < repeat; i++) {
        layers.add(new Layer(steps));
      }
    }
    var result =
        new Architecture(
            c.word("family"),
            c.positive("vocabulary"),
            c.positive("width"),
            c.positive("context"),
            visibility,
            embedding(embedding, visibility),
            streams(c),
            c.has("hyperConnections") ? HyperSpec.read(c.section("hyperConnections")) : null,
            layers,
            c.has("ends") ? Wiring.Reads.read(c, "ends") : Wiring.PLAIN.reads(),
            norm(c, "norm"),
            headless ? null : head(c.section("head")),
            diffusion);
    if (!c.unread().isEmpty()) {
      throw c.error("%s is not a setting of an architecture", c.unread().getFirst());
    }
    return result;
  }

  private static Head head(Config c) {
    Transform transform = null;
    if (c.has("transform")) {
      Config t = c.section("transform");
      Mlp.activation(t);
      transform =
          new Transform(t.word("activation", "silu"), t.flag("biased", false), norm(t, "norm"));
    }
    return new Head(
        c.flag("tied"),
        c.flag("biased", false),
        c.real("scale", 1),
        c.real("softcap", 0),
        transform);
  }

  private static Embedding embedding(Config c, Visibility visibility) {
    int positions = c.count("positions", 0);
    int metaTokens = c.count("metaTokens", 0);
    if (metaTokens > 0 && positions > 0) {
      throw c.errorAt(
          "metaTokens",
          "metaTokens=%d and positions=%d: there can be one of them",
          metaTokens,
          positions);
    }
    if (metaTokens > 0 && visibility == Visibility.BIDIRECTIONAL) {
      throw c.errorAt("metaTokens", "metaTokens=%d: an encoder has none", metaTokens);
    }
    int skipped = c.count("skipped", 0);
    if (skipped > 0 && positions == 0) {
      throw c.errorAt("skipped", "skipped=%d: there are no positions to skip any of", skipped);
    }
    Axes axes = c.has("axes") ? axes(c.section("axes")) : null;
    if (axes != null && (skipped > 0 || positions > (long) axes.lines() * axes.columns())) {
      throw c.errorAt(
          "axes",
          "%d lines of %d columns must hold positions=%d, and none can be skipped",
          axes.lines(),
          axes.columns(),
          positions);
    }
    int types = c.count("types", 0);
    return new Embedding(
        c.real("scale", 1), positions, norm(c, "norm"), metaTokens, skipped, types, axes);
  }

  private static Axes axes(Config c) {
    Axes axes = new Axes(c.positive("lines"), c.positive("columns"), c.positive("lineWidth"));
    if (!c.unread().isEmpty()) {
      throw c.error("%s is not a setting of axes", c.unread().getFirst());
    }
    return axes;
  }

  private static Map<String, Integer> streams(Config c) {
    Map<String, Integer> widths = new LinkedHashMap<>();
    if (c.has("streams")) {
      Config streams = c.section("streams");
      streams.asMap().keySet().forEach(name -> widths.put(name, streams.positive(name)));
    }
    return widths;
  }

  private static Branch branch(Config c) {
    Role role = c.has("mixer") ? Role.MIXER : Role.CHANNEL;
    Config part = c.section(role.name().toLowerCase(Locale.ROOT));
    Map<String, Object> settings = new LinkedHashMap<>(part.asMap());
    String type = part.word("type");
    settings.remove("type");
    part.ignore(settings.keySet().toArray(String[]::new));
    return new Branch(
        role,
        new Part(type, settings),
        norm(c, "norm"),
        norm(c, "after"),
        c.real("scale", 1),
        Wiring.read(c));
  }

  private static NormSpec norm(Config c, String key) {
    return c.has(key) ? NormSpec.read(c.section(key)) : null;
  }
}
