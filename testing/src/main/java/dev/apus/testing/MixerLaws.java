package dev.apus.testing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.model.MixerState;
import dev.apus.core.model.MixerType;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What holds for every mixer whose state is constant in size, whatever its formula. */
public final class MixerLaws {

  private static final int TOKENS = 41;

  private final MixerType type;
  private final Map<String, ?> settings;
  private final int inputs;
  private final int outputs;

  public MixerLaws(MixerType type, Map<String, ?> settings, int width) {
    this(type, settings, width, width);
  }

  /** The laws of a mixer that reads rows of another width than it writes. */
  public MixerLaws(MixerType type, Map<String, ?> settings, int inputs, int outputs) {
    this.type = type;
    this.settings = settings;
    this.inputs = inputs;
    this.outputs = outputs;
  }

  private MixerBench<MixerState> bench(Kernels kernels, int threads) {
    return new MixerBench<>(type, settings, inputs, outputs, kernels, CacheFormat.F32, threads);
  }

  /** Checks all of them. */
  public void hold() throws IOException {
    holdWhileTheStateGrows();
    aStateIsConstantInSize();
  }

  /** Checks those that also hold for states which grow now and then. */
  public void holdWhileTheStateGrows() throws IOException {
    neitherKernelsNorThreadsNorNeighboursShow();
    aStateGoesOnWithTheSameBits();
    aMarkMayTakeTheMemoryOfAnOldOne();
    cutsAtTheGrainDoNotShow();
    aShortFileIsRefusedBeforeAnythingChanges();
  }

  private MixerBench<MixerState> bench() {
    return bench(Kernels.chosen(), 2);
  }

  public void neitherKernelsNorThreadsNorNeighboursShow() {
    try (var bench = bench();
        var scalar = bench(Kernels.scalar(), 1)) {
      double[][] x = bench.tokens(TOKENS, 5);
      List<float[][]> together =
          bench.run(
              List.of(bench.state(), bench.state(), bench.state()),
              List.of(bench.tokens(1, 1), x, bench.tokens(6, 2)),
              0);
      assertSame(scalar.run(scalar.state(), x, 0), together.get(1));
    }
  }

  /** Marked, copied, adopted and written states all go on with the bits of the first. */
  public void aStateGoesOnWithTheSameBits() throws IOException {
    try (var bench = bench();
        MixerState state = bench.state();
        MixerState read = bench.state()) {
      double[][] head = bench.tokens(6, 5);
      double[][] tail = bench.tokens(9, 6);
      bench.run(state, head, 0);
      byte[] written = written(state);
      MixerState.Mark mark = state.mark(null);
      MixerState copy = state.copy();
      float[][] expected = bench.run(state, tail, 6);
      assertSame(expected, bench.run(copy, tail, 6));
      for (int again = 0; again < 2; again++) {
        mark.rewind();
        assertSame(expected, bench.run(state, tail, 6));
      }
      float[][] others = bench.run(read, tail, 0);
      MixerState.Mark before = read.mark(null);
      float[][] further = bench.run(read, tail, 9);
      read.read(new DataInputStream(new ByteArrayInputStream(written)));
      assertSame(expected, bench.run(read, tail, 6));
      before.rewind();
      assertSame(further, bench.run(read, tail, 9));
      mark.rewind();
      read.become(state);
      assertSame(expected, bench.run(read, tail, 6));
      assertSame(expected, bench.run(state, tail, 6));
      before.rewind();
      assertSame(further, bench.run(read, tail, 9));
      assertFalse(Arrays.equals(others[0], further[0]), "a state must show in what comes after it");
      copy.close();
    }
  }

  public void aMarkMayTakeTheMemoryOfAnOldOne() {
    try (var bench = bench();
        MixerState state = bench.state()) {
      MixerState.Mark old = state.mark(null);
      bench.run(state, bench.tokens(6, 5), 0);
      MixerState.Mark mark = state.mark(old);
      float[][] expected = bench.run(state, bench.tokens(9, 6), 6);
      mark.rewind();
      assertSame(expected, bench.run(state, bench.tokens(9, 6), 6));
    }
  }

  public void cutsAtTheGrainDoNotShow() {
    try (var bench = bench()) {
      int grain = bench.grain();
      double[][] x = bench.tokens(5 * grain + 3, 5);
      float[][] whole;
      try (MixerState state = bench.state()) {
        whole = bench.run(state, x, 0);
      }
      for (int cut = grain; cut < x.length; cut += grain) {
        try (MixerState state = bench.state()) {
          bench.run(state, Arrays.copyOf(x, cut), 0);
          float[][] rest = bench.run(state, Arrays.copyOfRange(x, cut, x.length), cut);
          assertSame(Arrays.copyOfRange(whole, cut, x.length), rest);
        }
      }
    }
  }

  public void aStateIsConstantInSize() {
    try (var bench = bench();
        MixerState state = bench.state()) {
      long bytes = state.bytes();
      bench.run(state, bench.tokens(TOKENS, 5), 0);
      assertEquals(bytes, state.bytes());
      assertEquals(0, bench.bytesPerToken());
    }
  }

  public void aShortFileIsRefusedBeforeAnythingChanges() throws IOException {
    try (var bench = bench();
        MixerState state = bench.state();
        MixerState other = bench.state()) {
      bench.run(state, bench.tokens(6, 5), 0);
      bench.run(other, bench.tokens(6, 7), 0);
      byte[] written = written(other);
      try (MixerState same = state.copy()) {
        for (int length : new int[] {0, 1, written.length / 2, written.length - 1}) {
          var in = new ByteArrayInputStream(written, 0, length);
          assertThrows(EOFException.class, () -> state.read(new DataInputStream(in)));
        }
        double[][] tail = bench.tokens(5, 8);
        assertSame(bench.run(same, tail, 6), bench.run(state, tail, 6));
      }
    }
  }

  /** A sequence cut into pieces of any length is what the formula says. */
  public void aSequenceIs(double[][] expected, double[][] x, double tolerance) {
    try (var bench = bench()) {
      for (int piece : new int[] {x.length, 1, 2, 3, 4, 5, 7, 16}) {
        MixerState state = bench.state();
        for (int from = 0; from < x.length; from += piece) {
          int to = Math.min(x.length, from + piece);
          float[][] actual = bench.run(state, Arrays.copyOfRange(x, from, to), from);
          for (int t = from; t < to; t++) {
            assertNear(expected[t], actual[t - from], tolerance, "token " + t);
          }
        }
        state.close();
      }
    }
  }

  private static void assertNear(
      double[] expected, float[] actual, double tolerance, String where) {
    assertEquals(expected.length, actual.length, where);
    for (int i = 0; i < actual.length; i++) {
      assertEquals(expected[i], actual[i], tolerance, where);
    }
  }

  private static byte[] written(MixerState state) throws IOException {
    var bytes = new ByteArrayOutputStream();
    state.write(new DataOutputStream(bytes));
    return bytes.toByteArray();
  }

  private static void assertSame(float[][] expected, float[][] actual) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < actual.length; i++) {
      assertArrayEquals(expected[i], actual[i], "token " + i);
    }
  }
}
