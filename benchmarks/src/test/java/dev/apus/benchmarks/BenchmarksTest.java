package dev.apus.benchmarks;

import static java.util.stream.Collectors.toCollection;
import static java.util.stream.Collectors.toSet;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.kernels.Kernels;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Every benchmark runs, in both forms, on inputs that take no time. */
class BenchmarksTest {

  private static ChainedOptionsBuilder smallest() {
    return new OptionsBuilder()
        .forks(0)
        .warmupIterations(0)
        .measurementIterations(1)
        .measurementTime(TimeValue.milliseconds(1))
        .shouldFailOnError(true)
        .verbosity(VerboseMode.SILENT)
        .param("width", "256")
        .param("groups", "4")
        .param("heads", "2")
        .param("headDim", "32")
        .param("context", "64")
        .param("experts", "5")
        .param("top", "2")
        .param("inner", "64")
        .param("tokens", "3")
        .param("rows", "40")
        .param("vocabulary", "300")
        .param("cols", "256")
        .param("mebibytes", "1")
        .param("ceilingMillis", "1");
  }

  private static List<Class<?>> benchmarks() {
    return List.of(
        ActivationsBenchmark.class,
        AttentionBenchmark.class,
        ChosenTokensBenchmark.class,
        ConjugateGradientsBenchmark.class,
        FastWeightsBenchmark.class,
        LevelMemoryBenchmark.class,
        LongConvolutionBenchmark.class,
        MatmulBenchmark.class,
        MatrixMemoryBenchmark.class,
        MixtureOfExpertsBenchmark.class,
        NormsBenchmark.class,
        PackingBenchmark.class,
        RotaryBenchmark.class,
        ScansBenchmark.class,
        SelectiveScanBenchmark.class,
        ShortConvolutionBenchmark.class);
  }

  @ParameterizedTest
  @MethodSource("benchmarks")
  void runs(Class<?> benchmark) throws RunnerException {
    Collection<RunResult> results = results(benchmark);
    Set<String> forms =
        results.stream()
            .map(result -> result.getParams().getParam("kernels"))
            .collect(toCollection(TreeSet::new));
    assertEquals(Set.of("scalar", "vector"), forms);
    assertMeasured(results);
  }

  @Test
  void measuresEveryKernel() {
    Set<Class<?>> measured =
        benchmarks().stream()
            .flatMap(benchmark -> Arrays.stream(benchmark.getDeclaredFields()))
            .map(Field::getType)
            .collect(toSet());
    for (Method kernel : Kernels.class.getMethods()) {
      Class<?> type = kernel.getReturnType();
      if (type.isInterface() && type != Kernels.class) {
        assertTrue(measured.contains(type), () -> "no benchmark measures " + type.getSimpleName());
      }
    }
  }

  @Test
  void runsWithoutKernels() throws RunnerException {
    assertMeasured(results(StructureBenchmark.class));
  }

  private static Collection<RunResult> results(Class<?> benchmark) throws RunnerException {
    return new Runner(smallest().include(benchmark.getName() + "\\.").build()).run();
  }

  private static void assertMeasured(Collection<RunResult> results) {
    assertFalse(results.isEmpty());
    for (RunResult result : results) {
      assertTrue(result.getPrimaryResult().getScore() > 0, result.getParams().toString());
    }
  }
}
