package dev.apus.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * llama3.java, from its jar. It has no benchmark: it answers a prompt of about as many tokens, and
 * says at the end how fast it was.
 */
record Llama3Java(Installed installed) implements Engine {

  private static final Pattern SPEEDS =
      Pattern.compile(
          "prompt: ([0-9.]+) tokens/s \\((\\d+)\\) generation: ([0-9.]+) tokens/s \\((\\d+)\\)");

  @Override
  public String name() {
    return installed.name();
  }

  @Override
  public String obstacle() {
    return installed.missing();
  }

  @Override
  public Measured measure(Path model, Tests tests) throws IOException, InterruptedException {
    if (tests.depth() > 0 || tests.prompt() == 0 || tests.generate() == 0) {
      throw new IOException("can only read a prompt and then generate: needs -p, -n, and no -d");
    }
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-preview", "--add-modules=jdk.incubator.vector"));
    // Its parallel streams use the common pool and the thread that calls.
    command.add("-Djava.util.concurrent.ForkJoinPool.common.parallelism=" + (tests.threads() - 1));
    command.addAll(List.of("-jar", installed.path().toString(), "--model", model.toString()));
    command.addAll(List.of("--prompt", "swift" + " swift".repeat(tests.prompt() - 1)));
    command.addAll(List.of("--instruct", "--stream", "false", "--temperature", "0"));
    command.addAll(List.of("--max-tokens", String.valueOf(tests.prompt() + tests.generate())));
    command.addAll(installed.options());
    Child child = Child.run(command);
    Matcher said = SPEEDS.matcher(child.out() + child.err());
    if (!said.find()) {
      throw new IOException("did not say how fast it was, but " + child.lastLines());
    }
    Map<String, Double> speeds = new LinkedHashMap<>();
    speeds.put(tests.promptName(), Double.parseDouble(said.group(1)));
    speeds.put(tests.generationName(), Double.parseDouble(said.group(3)));
    String remark =
        String.format(
            Locale.ROOT,
            "one prompt of %s tokens and %s tokens generated after it, in a JVM that is not warm",
            said.group(2),
            said.group(4));
    return new Measured(
        installed.path().getFileName().toString(), speeds, child.peakBytes(), remark);
  }
}
