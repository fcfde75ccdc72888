package dev.apus.benchmarks.compare;

import dev.apus.benchmarks.compare.Engine.Measured;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What all processes so far have measured, and what went wrong. */
final class Results {

  /** The middle of what several processes measured, and its extremes. */
  record Spread(double median, double least, double most) {

    static Spread of(List<Double> values) {
      double[] all = values.stream().mapToDouble(Double::doubleValue).toArray();
      return new Spread(
          Engine.median(all),
          values.stream().mapToDouble(Double::doubleValue).min().orElseThrow(),
          values.stream().mapToDouble(Double::doubleValue).max().orElseThrow());
    }
  }

  private record Run(Engine engine, Path model) {}

  private final Map<Run, List<Measured>> measured = new LinkedHashMap<>();
  private final Map<Run, String> failures = new LinkedHashMap<>();

  void add(Engine engine, Path model, Measured one) {
    measured.computeIfAbsent(new Run(engine, model), run -> new ArrayList<>()).add(one);
  }

  void fail(Engine engine, Path model, String why) {
    failures.put(new Run(engine, model), why);
  }

  /** What went wrong, or null if nothing did. */
  String failure(Engine engine, Path model) {
    return failures.get(new Run(engine, model));
  }

  boolean hasFailures() {
    return !failures.isEmpty();
  }

  /** Tokens per second, or null if no process has measured them. */
  Spread speed(Engine engine, Path model, String test) {
    List<Double> speeds =
        runs(engine, model).stream()
            .map(one -> one.tokensPerSecond().get(test))
            .filter(speed -> speed != null)
            .toList();
    return speeds.isEmpty() ? null : Spread.of(speeds);
  }

  /** The most memory that any of its processes had; 0 if unknown. */
  long peakBytes(Engine engine, Path model) {
    return runs(engine, model).stream().mapToLong(Measured::peakBytes).max().orElse(0);
  }

  /** What an engine's processes said of themselves, without repetitions. */
  List<Measured> of(Engine engine) {
    return measured.entrySet().stream()
        .filter(entry -> entry.getKey().engine().equals(engine))
        .flatMap(entry -> entry.getValue().stream())
        .toList();
  }

  private List<Measured> runs(Engine engine, Path model) {
    return measured.getOrDefault(new Run(engine, model), List.of());
  }
}
