package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Part;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A config's rotary settings in the architecture document's words. Both spellings are read: {@code
 * rope_theta} with {@code rope_scaling}, and {@code rope_parameters}.
 */
record RopeSettings(Map<String, Object> settings) {

  /** An attention part that turns its queries and keys so. */
  Part on(Part attention) {
    return attention.with("rope", settings);
  }

  /** These settings, for a checkpoint whose pairs are neighbours. */
  RopeSettings interleaved() {
    return with("layout", "interleaved");
  }

  RopeSettings with(String key, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(settings);
    more.put(key, value);
    return new RopeSettings(more);
  }

  /** The settings that all layers share. */
  static RopeSettings read(Config c, int headDim, int context) {
    return read(c, 10_000, 1, headDim, context);
  }

  /**
   * The settings that all layers share, in a family with defaults of its own.
   *
   * @param base the base, if the config has none
   * @param share how much of a head is turned, if the config does not say
   */
  static RopeSettings read(Config c, double base, double share, int headDim, int context) {
    double theta = c.number("rope_theta", c.number("rotary_emb_base", base));
    List<String> sections =
        Stream.of("rope_parameters", "rope_scaling").filter(c::hasSection).toList();
    if (sections.size() == 2) {
      throw c.errorAt(
          "rope_scaling", "rope_scaling and rope_parameters are one setting; keep one of them");
    }
    Config scaling = sections.isEmpty() ? null : c.section(sections.getFirst());
    return of(c, scaling, theta, share, headDim, context);
  }

  /**
   * The settings of layers without a window, where the kinds of layers turn differently: a section
   * of {@code rope_parameters}, or the older {@code rope_theta} with {@code rope_scaling}.
   */
  static RopeSettings global(Decoder d, double theta) {
    Config c = d.c;
    if (c.hasSection("rope_parameters")) {
      Config section = c.section("rope_parameters").section("full_attention");
      return of(c, section, theta, d.headDim, d.context);
    }
    Config scaling = c.hasSection("rope_scaling") ? c.section("rope_scaling") : null;
    return of(c, scaling, c.number("rope_theta", theta), d.headDim, d.context);
  }

  /** The settings of layers with a window, which are never stretched by {@code rope_scaling}. */
  static RopeSettings local(Decoder d, String baseKey) {
    Config c = d.c;
    if (c.hasSection("rope_parameters")) {
      Config section = c.section("rope_parameters").section("sliding_attention");
      return of(c, section, 10_000, d.headDim, d.context);
    }
    return of(c, null, c.number(baseKey, 10_000), d.headDim, d.context);
  }

  /**
   * Settings from a section.
   *
   * @param scaling the section that names the type, or null for plain angles
   * @param theta the base, if the section has none
   */
  static RopeSettings of(Config c, Config scaling, double theta, int headDim, int context) {
    return of(c, scaling, theta, 1, headDim, context);
  }

  private static RopeSettings of(
      Config c, Config scaling, double theta, double absent, int headDim, int context) {
    double share = c.number("partial_rotary_factor", c.number("rotary_pct", absent));
    Map<String, Object> settings = new LinkedHashMap<>();
    if (scaling == null) {
      settings.put("theta", theta);
      settings.put("dims", (int) (headDim * share));
      return new RopeSettings(settings);
    }
    String type =
        scaling.choice(
            scaling.has("rope_type") ? "rope_type" : "type",
            "default",
            "default",
            "linear",
            "dynamic",
            "llama3",
            "yarn",
            "longrope",
            "su",
            "factors",
            "proportional",
            "mrope");
    scaling.ignore("type", "rope_type", "mrope_section", "mrope_interleaved");
    settings.put("theta", scaling.number("rope_theta", theta));
    settings.put("dims", (int) (headDim * scaling.number("partial_rotary_factor", share)));
    switch (type) {
      // Text has one position on every axis, so a multimodal rotation turns it like a plain one.
      case "default", "mrope" -> {}
      case "su" -> settings.put("type", "longrope");
      default -> settings.put("type", type);
    }
    stretch(c, scaling, type, context, settings);
    return new RopeSettings(settings);
  }

  private static void stretch(
      Config c, Config scaling, String type, int context, Map<String, Object> settings) {
    int original =
        scaling.positive(
            "original_max_position_embeddings",
            c.positive("original_max_position_embeddings", context));
    switch (type) {
      case "linear", "proportional" -> settings.put("factor", scaling.number("factor", 1));
      case "dynamic" -> {
        if (scaling.has("alpha")) {
          widened(scaling, settings);
          return;
        }
        settings.put("factor", scaling.number("factor"));
        // The reference stretches from the config's context, whatever else it may say.
        settings.put("original", context);
      }
      case "llama3" -> {
        settings.put("factor", scaling.number("factor"));
        settings.put("original", original);
        settings.put("lowFrequency", scaling.number("low_freq_factor"));
        settings.put("highFrequency", scaling.number("high_freq_factor"));
      }
      case "yarn" -> yarn(scaling, original, context, settings);
      case "factors" -> settings.put("factors", scaling.numbers("factors"));
      case "longrope", "su" -> {
        settings.put("factor", scaling.number("factor", (double) context / original));
        settings.put("original", original);
        settings.put("shortFactors", scaling.numbers("short_factor"));
        settings.put("longFactors", scaling.numbers("long_factor"));
        if (scaling.has("attention_factor")) {
          settings.put("attentionFactor", scaling.number("attention_factor"));
        }
        magnified(scaling, settings);
      }
      default -> {}
    }
  }

  /** Hunyuan's, whose base is larger by a fixed power of {@code alpha}. */
  private static void widened(Config scaling, Map<String, Object> settings) {
    scaling.ignore("factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim");
    double dims = ((Number) settings.get("dims")).doubleValue();
    double theta = ((Number) settings.get("theta")).doubleValue();
    double alpha = scaling.number("alpha");
    settings.put("theta", theta * StrictMath.pow(alpha, dims / (dims - 2)));
    settings.remove("type");
  }

  /** Phi-3.5-MoE's factor on turned queries and keys, which it states. */
  private static void magnified(Config scaling, Map<String, Object> settings) {
    if (!scaling.has("short_mscale")) {
      return;
    }
    double magnitude = scaling.number("short_mscale");
    if (scaling.number("long_mscale") != magnitude) {
      throw scaling.errorAt(
          "long_mscale",
          "long_mscale=%s is not supported; supported: short_mscale=%s",
          scaling.raw("long_mscale"),
          magnitude);
    }
    settings.put("attentionFactor", magnitude);
    settings.remove("factor");
  }

  private static void yarn(
      Config scaling, int original, int context, Map<String, Object> settings) {
    double factor = scaling.number("factor", (double) context / original);
    settings.put("factor", factor);
    settings.put("original", original);
    settings.put("betaFast", scaling.number("beta_fast", 32));
    settings.put("betaSlow", scaling.number("beta_slow", 1));
    settings.put("truncate", scaling.flag("truncate", true));
    double mscale = scaling.number("mscale", 0);
    double mscaleAll = scaling.number("mscale_all_dim", 0);
    if (scaling.has("attention_factor")) {
      settings.put("attentionFactor", scaling.number("attention_factor"));
    } else if (mscale != 0 && mscaleAll != 0) {
      settings.put("attentionFactor", magnitude(factor, mscale) / magnitude(factor, mscaleAll));
    }
  }

  /**
   * The factor on queries and keys that stretching asks for where part of them is not turned, by
   * {@code mscale_all_dim}.
   */
  static double scoreMagnitude(Config c) {
    for (String key : List.of("rope_parameters", "rope_scaling")) {
      if (c.hasSection(key)) {
        Config scaling = c.section(key);
        boolean stretched =
            !scaling.word("rope_type", scaling.word("type", "default")).equals("default");
        return stretched
            ? magnitude(scaling.number("factor", 1), scaling.number("mscale_all_dim", 0))
            : 1;
      }
    }
    return 1;
  }

  private static double magnitude(double factor, double scale) {
    return factor <= 1 ? 1 : 0.1 * scale * StrictMath.log(factor) + 1;
  }
}
