package dev.apus.ssm;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.model.Run;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.memory.MatrixMemory;
import dev.apus.kernels.memory.MatrixMemory.Inputs;
import dev.apus.kernels.memory.MatrixMemory.Rows;

/** One memory a head, into which its whole past fades: {@code S ← exp(Δ A) S + B ⊗ Δx}. */
final class OneMemory implements HeadMemories<RecurrentState> {

  private static final int MEMORY = 1;

  /** B and C of so many, the rows of a head and its memory stay in the second-level cache. */
  private static final int TOKENS = 128;

  private final Mamba2Spec spec;
  private final MatrixMemory.Shape shape;

  OneMemory(Mamba2Spec spec) {
    this.spec = spec;
    this.shape = spec.memory();
  }

  @Override
  public RecurrentState newState(Region convolution, int limit) {
    return RecurrentState.of(convolution, Region.of(spec.heads(), shape));
  }

  @Override
  public RecurrentState convolved(RecurrentState state) {
    return state;
  }

  @Override
  public int tokensTogether() {
    return TOKENS;
  }

  @Override
  public boolean inPlace() {
    return true;
  }

  @Override
  public void prepare(Run<RecurrentState> run) {}

  @Override
  public void advance(
      Pass pass, int worker, Run<RecurrentState> run, int head, Tokens t, Matrix read) {
    int row = run.from();
    int key = spec.keyColumn(head);
    int value = head * spec.headDim();
    var in =
        new Inputs(
            Tokens.rows(t.mixed(), row, key + spec.shared()),
            Tokens.rows(t.mixed(), row, key),
            Tokens.rows(t.values(), row, value),
            Tokens.rows(t.decays(), row, head),
            null);
    Rows o = Tokens.rows(read, row, value);
    run.state().remember(pass, worker, MEMORY, head, run.length(), in, o);
  }

  @Override
  public void changed(Run<RecurrentState> run) {
    run.state().changed();
  }
}
