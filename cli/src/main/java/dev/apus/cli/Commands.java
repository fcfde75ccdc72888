package dev.apus.cli;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The commands by their names, in the order of the help. */
final class Commands {

  static final Map<String, Class<?>> ALL = all();

  private Commands() {}

  private static Map<String, Class<?>> all() {
    Map<String, Class<?>> all = new LinkedHashMap<>();
    all.put("generate", Generate.class);
    all.put("chat", Converse.class);
    all.put("describe", Describe.class);
    all.put("verify", Verify.class);
    all.put("bench", Bench.class);
    all.put("perplexity", Perplexity.class);
    all.put("routes", Routes.class);
    all.put("embed", Embed.class);
    all.put("convert", Convert.class);
    all.put("quantize", Quantize.class);
    all.put("random", RandomModel.class);
    all.put("pull", Pull.class);
    return all;
  }

  /**
   * The commands that a command line may be about: the one that it names, or else all of them. To
   * read the annotations of all would take a tenth of the time to the first word.
   */
  static Collection<Class<?>> in(String... arguments) {
    for (String argument : arguments) {
      Class<?> named = ALL.get(argument);
      if (named != null) {
        return List.of(named);
      }
    }
    return ALL.values();
  }
}
