package dev.apus.ssm;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.model.MixerState;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.memory.MatrixMemory.Rows;

/** What the heads of a {@link Mamba2} keep of their past, and how they read it. */
interface HeadMemories<S extends MixerState> {

  /**
   * What the rows say to the heads.
   *
   * @param mixed x, B and C of all groups
   * @param values Δx of each head
   * @param decays factor of each head's memory
   * @param levels weights of each head's levels; null where there are none
   */
  record Tokens(Matrix mixed, Matrix values, Matrix decays, Matrix levels) {

    static Rows rows(Matrix x, int row, int col) {
      return x.from(row, col);
    }
  }

  /**
   * The memory of a sequence that has not begun.
   *
   * @param convolution the region of the short convolution, which comes first
   * @param limit the most tokens the sequence will have
   */
  S newState(Region convolution, int limit);

  /** The state in which the short convolution has its region. */
  RecurrentState convolved(S state);

  /** Makes a state ready for so many tokens; called for each run, before any head advances. */
  void prepare(Run<S> run);

  /** How many tokens of a head are best taken at a time, with what is done before and after. */
  default int tokensTogether() {
    return Integer.MAX_VALUE;
  }

  /** Whether values may lie where what is read will be written. */
  default boolean inPlace() {
    return false;
  }

  /** Takes one head of a run past its tokens and writes what it reads. */
  void advance(Pass pass, int worker, Run<S> run, int head, Tokens tokens, Matrix read);

  /** Called for each run when all heads have advanced. */
  void changed(Run<S> run);

  /** The same runs, with the states of the short convolution. */
  default Batch<RecurrentState> convolved(Batch<S> batch) {
    return batch.map(this::convolved);
  }
}
