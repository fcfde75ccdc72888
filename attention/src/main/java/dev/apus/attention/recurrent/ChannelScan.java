package dev.apus.attention.recurrent;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;

/** Shares out the channels of a recurrence whose channels have nothing to do with each other. */
final class ChannelScan {

  /** Channels that one thread recurs at a time, at least. */
  private static final int CHANNELS = 64;

  private ChannelScan() {}

  /**
   * Takes every run of a batch through {@code h ← a ⊙ h + x}, whose results take the place of x.
   *
   * @param region which region of the states is the memory: one piece of as many values as {@code
   *     a} and {@code x} have columns
   */
  static void run(Pass pass, Batch<RecurrentState> batch, int region, Matrix a, Matrix x) {
    int channels = x.cols();
    batch.runs().forEach(run -> run.state().keep(region));
    pass.eachRow(
        Math.ceilDiv(channels, CHANNELS),
        x.rows() * CHANNELS,
        (from, to, worker) ->
            run(pass, batch, region, from * CHANNELS, Math.min(channels, to * CHANNELS), a, x));
  }

  /** The same for channels {@code [from, to)} alone, on the thread that calls it, after keeping. */
  static void run(
      Pass pass, Batch<RecurrentState> batch, int region, int from, int to, Matrix a, Matrix x) {
    for (Run<RecurrentState> run : batch.runs()) {
      RecurrentState state = run.state();
      pass.kernels()
          .gatedScan()
          .scan(
              from,
              to,
              run.length(),
              a.data(),
              a.at(run.from()),
              a.cols(),
              x.data(),
              x.at(run.from()),
              x.cols(),
              state.segment(),
              state.at(region));
    }
  }
}
