package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import java.util.Arrays;

/**
 * A branch whose part has been built; at most one of {@code mixer} and {@code channel} is there.
 *
 * @param state the number of the state that the mixer is given
 * @param owner whether the state is the mixer's own
 * @param modulation how it is told the level of the noise, or null
 */
record BuiltBranch(
    SequenceMixer<MixerState> mixer,
    int state,
    boolean owner,
    ChannelMixer channel,
    Normalization before,
    Normalization after,
    Modulation modulation,
    float scale,
    Streams.Flow flow) {

  /** What the branch gives, in a matrix of the frame. */
  Matrix forward(Pass pass, Pass.Frame frame, Batch<SequenceState> batch, Matrix[] streams) {
    Matrix told = modulation == null ? null : modulation.make(pass, frame, batch);
    Matrix read = read(pass, frame, batch, streams, told);
    Matrix y = frame.matrix(read.rows(), flow.outputs());
    if (mixer != null) {
      mixer.forward(pass, batch.map(s -> s.mixer(state)), read, y);
    } else {
      channel.forward(pass, read, y);
    }
    if (after != null) {
      after.rows(pass, y, y);
    }
    if (told != null) {
      modulation.gate(pass, batch, told, y);
    }
    return y;
  }

  /** What a flow brings together, without a part that reads it. */
  static BuiltBranch reading(Streams.Flow flow) {
    return new BuiltBranch(null, -1, false, null, null, null, null, 1, flow);
  }

  private Matrix read(
      Pass pass, Pass.Frame frame, Batch<SequenceState> batch, Matrix[] streams, Matrix told) {
    Matrix read = normed(pass, frame, streams);
    if (told != null) {
      modulation.shift(pass, batch, told, read);
    }
    return beside(pass, frame, streams, read);
  }

  /** What a {@link #reading} brings together. */
  Matrix read(Pass pass, Pass.Frame frame, Matrix[] streams) {
    return beside(pass, frame, streams, normed(pass, frame, streams));
  }

  private Matrix beside(Pass pass, Pass.Frame frame, Matrix[] streams, Matrix read) {
    return flow.beside().length == 0 ? read : withBeside(pass, frame, streams, read);
  }

  private Matrix normed(Pass pass, Pass.Frame frame, Matrix[] streams) {
    Matrix x = streams[flow.reads()[0].stream()];
    int values = flow.normed();
    boolean whole = flow.reads().length == 1 && values == x.cols();
    if (whole && before == null && modulation == null) {
      return x;
    }
    Matrix read = frame.matrix(x.rows(), values);
    if (!whole || before == null) {
      pass.eachRow(x.rows(), values, (from, to, worker) -> combine(pass, streams, from, to, read));
    }
    if (before != null) {
      before.rows(pass, whole ? x : read, read);
    }
    return read;
  }

  /** Rows with those of other streams after them. */
  private Matrix withBeside(Pass pass, Pass.Frame frame, Matrix[] streams, Matrix x) {
    Matrix read = frame.matrix(x.rows(), flow.inputs());
    pass.eachRow(
        x.rows(),
        flow.inputs(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int at = read.at(row);
            System.arraycopy(x.data(), x.at(row), read.data(), at, x.cols());
            at += x.cols();
            for (Streams.Source source : flow.beside()) {
              Matrix other = streams[source.stream()];
              int first = other.at(row) + source.from();
              System.arraycopy(other.data(), first, read.data(), at, source.cols());
              at += source.cols();
            }
          }
        });
    return read;
  }

  private void combine(Pass pass, Matrix[] streams, int from, int to, Matrix read) {
    int at = 0;
    for (int i = 0; i < flow.reads().length; i++) {
      Streams.Source source = flow.reads()[i];
      Matrix x = streams[source.stream()];
      for (int row = from; row < to; row++) {
        int first = x.at(row) + source.from();
        if (flow.joined() || i == 0) {
          System.arraycopy(x.data(), first, read.data(), read.at(row) + at, source.cols());
        } else {
          pass.kernels()
              .activations()
              .addScaled(1, x.data(), first, read.data(), read.at(row), source.cols());
        }
      }
      at += flow.joined() ? source.cols() : 0;
    }
  }

  /** Adds what the branch gave to the stream that it writes, or puts it there. */
  void write(Pass pass, Matrix y, Matrix[] streams) {
    Matrix x = streams[flow.writes()];
    int cols = flow.outputs();
    pass.eachRow(
        x.rows(),
        cols,
        (from, to, worker) -> {
          int count = (to - from) * cols;
          if (flow.first()) {
            Arrays.fill(x.data(), from * cols, to * cols, 0);
          }
          pass.kernels()
              .activations()
              .addScaled(scale, y.data(), from * cols, x.data(), from * cols, count);
        });
  }
}
