package dev.apus.benchmarks;

import dev.apus.kernels.Kernels;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import dev.apus.kernels.scan.AverageScan;
import dev.apus.kernels.scan.ComplexScan;
import dev.apus.kernels.scan.GatedScan;
import dev.apus.kernels.scan.Systems;
import dev.apus.kernels.scan.Systems.Coefficient;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Recurrences of channels by themselves through one token and through some. */
public class ScansBenchmark extends KernelBenchmark {

  /** Multiplications of a value of RWKV-4's average besides its two exponentials. */
  private static final int AVERAGE = 6;

  /** Of a complex number times another, plus a third. */
  private static final int COMPLEX = 4;

  @Param("2048")
  int width;

  @Param({"1", "64"})
  int tokens;

  /** Complex numbers that a channel of {@link #respond} remembers. */
  @Param("32")
  int stateSize;

  private AverageScan averages;
  private GatedScan gates;
  private ComplexScan complex;
  private Systems systems;
  private float[] factors;
  private float[] decays;
  private float[] weights;
  private Rows k;
  private Rows v;
  private Rows o;
  private float[] x;
  private MemorySegment state;
  private MemorySegment systemStates;

  public ScansBenchmark() {}

  @Override
  void prepare(Kernels kernels) {
    averages = kernels.averageScan();
    gates = kernels.gatedScan();
    complex = kernels.complexScan();
    factors = factors(tokens * width, 0.9);
    decays = factors(width, -1);
    for (int i = 0; i < width; i++) {
      decays[i] = -Math.abs(decays[i]);
    }
    weights = values(width);
    k = new Rows(values(tokens * width), 0, width);
    v = new Rows(values(tokens * width), 0, width);
    o = new Rows(new float[tokens * width], 0, width);
    x = values(tokens * width);
    state = memory(4L * AverageScan.STATE * width);
    systems = new Systems(width, stateSize, false, memory(Systems.bytes(width, stateSize, false)));
    for (int channel = 0; channel < width; channel++) {
      for (int n = 0; n < stateSize; n++) {
        systems.set(channel, n, Coefficient.DECAY, 0.9, 0.1);
        systems.set(channel, n, Coefficient.OUTPUT, 0.5, -0.5);
      }
    }
    systemStates = memory(4 * systems.stateFloats() * systems.blocks());
  }

  /** Two rows in and one out for each token, and the state. */
  @Override
  long touchedBytes() {
    return 4L * width * (3 * tokens + 2 + AverageScan.STATE);
  }

  @Benchmark
  public float[] average(Shares shares) {
    averages.scan(0, width, width, tokens, decays, weights, k, v, o, state, 0);
    count(shares, touchedBytes(), (double) AVERAGE * width * tokens);
    return o.data();
  }

  @Benchmark
  public float[] gated(Shares shares) {
    System.arraycopy(v.data(), 0, x, 0, x.length);
    gates.scan(0, width, tokens, factors, 0, width, x, 0, width, state, 0);
    count(shares, 4.0 * width * (5 * tokens + 2), (double) width * tokens);
    return x;
  }

  @Benchmark
  public float[] recur(Shares shares) {
    int states = width / 2;
    System.arraycopy(v.data(), 0, x, 0, x.length);
    complex.recur(decays, weights, states, 0, states, tokens, x, 0, width, state, 0);
    count(shares, 4.0 * width * (4 * tokens + 4), 2.0 * COMPLEX * states * tokens);
    return x;
  }

  @Benchmark
  public float[] respond(Shares shares) {
    complex.respond(
        systems,
        weights,
        0,
        width,
        tokens,
        v.data(),
        0,
        width,
        systemStates,
        0,
        o.data(),
        0,
        width);
    long read = systems.values().byteSize() + 2 * systemStates.byteSize();
    double multiplyAdds = (COMPLEX + 2.0) * width * stateSize * tokens;
    count(shares, read + 8.0 * width * tokens, multiplyAdds);
    return o.data();
  }
}
