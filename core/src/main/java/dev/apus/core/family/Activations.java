package dev.apus.core.family;

import dev.apus.core.config.Config;

/** What configs call activations. */
final class Activations {

  private Activations() {}

  /** The activation under {@code hidden_activation}, or else under {@code hidden_act}. */
  static String of(Config c) {
    if (!c.has("hidden_activation")) {
      return of(c, "hidden_act", "silu");
    }
    c.ignore("hidden_act");
    return of(c, "hidden_activation", "silu");
  }

  static String of(Config c, String key, String absent) {
    String name = c.word(key, absent);
    return switch (name) {
      case "silu", "swish" -> "silu";
      case "gelu" -> "gelu";
      case "gelu_new", "gelu_pytorch_tanh", "gelu_fast" -> "gelu-tanh";
      case "quick_gelu" -> "quick-gelu";
      case "relu" -> "relu";
      case "relu2" -> "relu-squared";
      default ->
          throw c.errorAt(
              key,
              "%s=\"%s\" is not supported; supported: silu, gelu, gelu_new, gelu_pytorch_tanh,"
                  + " quick_gelu, relu, relu2",
              key,
              name);
    };
  }
}
