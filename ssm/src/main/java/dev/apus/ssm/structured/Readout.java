package dev.apus.ssm.structured;

import dev.apus.core.compute.Pass;
import dev.apus.core.config.Config;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.kernels.activation.Activation;
import java.util.Locale;

/** What follows a state space in its layer: g = gelu of its answer s, and a mixing of channels. */
final class Readout {

  /** The ways of mixing. */
  enum Way {
    /** {@code (W_o g + b_o) ⊙ σ(W_g g + b_g)}. */
    FULL_GLU,
    /** {@code g ⊙ σ(W_g g + b_g)}. */
    HALF_GLU1,
    /** {@code s ⊙ σ(W_g g + b_g)}. */
    HALF_GLU2,
    /** {@code W_o g + b_o}. */
    LINEAR,
    /** g. */
    GELU;

    static Way read(Config c) {
      String word =
          c.choice("output", "full-glu", "full-glu", "half-glu1", "half-glu2", "linear", "gelu");
      return valueOf(word.toUpperCase(Locale.ROOT).replace('-', '_'));
    }
  }

  private final Way way;
  private final Projection output;
  private final Projection gate;

  private Readout(Way way, Projection output, Projection gate) {
    this.way = way;
    this.output = output;
    this.gate = gate;
  }

  /** Reads the weights {@code o} and {@code gate} that this way needs. */
  static Readout read(Way way, boolean biased, Site site) {
    int width = site.width();
    boolean mixed = way == Way.FULL_GLU || way == Way.LINEAR;
    boolean gated = way != Way.LINEAR && way != Way.GELU;
    return new Readout(
        way,
        mixed ? site.weights().projection("o", width, width, biased) : null,
        gated ? site.weights().projection("gate", width, width, biased) : null);
  }

  /** Writes the output of each row; what {@code s} holds is lost. */
  void apply(Pass pass, Matrix s, Matrix y) {
    try (Pass.Frame frame = pass.frame()) {
      int cols = s.cols();
      Matrix gates = gate == null ? null : frame.matrix(s.rows(), cols);
      var activations = pass.kernels().activations();
      pass.eachRow(
          s.rows(),
          4 * cols,
          (from, to, worker) -> {
            if (way == Way.HALF_GLU2) {
              System.arraycopy(s.data(), s.at(from), y.data(), y.at(from), (to - from) * cols);
            }
            activations.apply(Activation.GELU, s.data(), s.at(from), (to - from) * cols);
            if (way == Way.HALF_GLU1 || way == Way.GELU) {
              System.arraycopy(s.data(), s.at(from), y.data(), y.at(from), (to - from) * cols);
            }
          });
      if (output != null && gate != null) {
        pass.run(output.task(pass, s, y), gate.task(pass, s, gates));
      } else if (output != null) {
        output.apply(pass, s, y);
      } else if (gate != null) {
        gate.apply(pass, s, gates);
      }
      if (gate != null) {
        pass.eachRow(
            s.rows(),
            4 * cols,
            (from, to, worker) ->
                activations.gate(
                    Activation.SIGMOID,
                    gates.data(),
                    gates.at(from),
                    y.data(),
                    y.at(from),
                    (to - from) * cols));
      }
    }
  }
}
