package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;

/**
 * A branch whose part has been built; exactly one of {@code mixer} and {@code channel} is there.
 *
 * @param state the number of the state that the mixer is given
 * @param owner whether the state is the mixer's own
 * @param reads the streams that it reads, by number
 * @param joined whether their rows are put one after the other instead of added
 * @param inputs values of the rows that it reads
 * @param writes the stream that it writes, by number
 * @param outputs values of the rows that it writes
 * @param first whether what it gives takes the place of what is in the stream
 */
record BuiltBranch(
    SequenceMixer<MixerState> mixer,
    int state,
    boolean owner,
    ChannelMixer channel,
    Normalization before,
    Normalization after,
    float scale,
    int[] reads,
    boolean joined,
    int inputs,
    int writes,
    int outputs,
    boolean first) {

  /** What the branch gives, in a matrix of the frame. */
  Matrix forward(Pass pass, Pass.Frame frame, Batch<SequenceState> batch, Matrix[] streams) {
    Matrix read = read(pass, frame, streams);
    Matrix y = frame.matrix(read.rows(), outputs);
    if (mixer != null) {
      mixer.forward(pass, batch.map(s -> s.mixer(state)), read, y);
    } else {
      channel.forward(pass, read, y);
    }
    if (after != null) {
      after.rows(pass, y, y);
    }
    return y;
  }

  private Matrix read(Pass pass, Pass.Frame frame, Matrix[] streams) {
    Matrix x = streams[reads[0]];
    if (reads.length == 1 && before == null) {
      return x;
    }
    Matrix read = frame.matrix(x.rows(), inputs);
    if (reads.length > 1) {
      pass.eachRow(x.rows(), inputs, (from, to, worker) -> combine(pass, streams, from, to, read));
      x = read;
    }
    if (before != null) {
      before.rows(pass, x, read);
    }
    return read;
  }

  private void combine(Pass pass, Matrix[] streams, int from, int to, Matrix read) {
    int at = 0;
    for (int i = 0; i < reads.length; i++) {
      Matrix x = streams[reads[i]];
      for (int row = from; row < to; row++) {
        if (joined || i == 0) {
          System.arraycopy(x.data(), x.at(row), read.data(), read.at(row) + at, x.cols());
        } else {
          pass.kernels()
              .activations()
              .addScaled(1, x.data(), x.at(row), read.data(), read.at(row), x.cols());
        }
      }
      at += joined ? x.cols() : 0;
    }
  }

  /** Adds what the branch gave to the stream that it writes, or puts it there. */
  void write(Pass pass, Matrix y, Matrix[] streams) {
    Matrix x = streams[writes];
    pass.eachRow(
        x.rows(),
        outputs,
        (from, to, worker) -> {
          int at = from * outputs;
          int count = (to - from) * outputs;
          if (first) {
            System.arraycopy(y.data(), at, x.data(), at, count);
            scale(x.data(), at, count);
          } else {
            pass.kernels().activations().addScaled(scale, y.data(), at, x.data(), at, count);
          }
        });
  }

  private void scale(float[] x, int at, int count) {
    for (int i = at; scale != 1 && i < at + count; i++) {
      x[i] *= scale;
    }
  }
}
