package dev.apus.core.model;

import java.util.ArrayList;
import java.util.List;

/**
 * The rows of a forward call: those of the tokens, and before the first token of each sequence
 * those of the prefix.
 *
 * @param tokens the token of each row; negative for a row of the prefix
 * @param wanted the rows whose logits are needed
 */
record Rows(Batch<SequenceState> batch, int[] tokens, int[] wanted) {

  /**
   * @param prefix rows of the prefix; with none, everything stays as it is
   */
  static Rows of(Batch<SequenceState> batch, int[] tokens, int[] wanted, int prefix) {
    if (prefix == 0) {
      return new Rows(batch, tokens, wanted);
    }
    int begun = (int) batch.runs().stream().filter(run -> run.position() == 0).count();
    int[] allTokens = new int[Math.addExact(tokens.length, Math.multiplyExact(begun, prefix))];
    int[] allWanted = wanted.clone();
    List<Run<SequenceState>> runs = new ArrayList<>();
    int row = 0;
    int next = 0;
    for (Run<SequenceState> run : batch.runs()) {
      int from = row;
      boolean first = run.position() == 0;
      for (int i = 0; first && i < prefix; i++) {
        allTokens[row++] = -1 - i;
      }
      System.arraycopy(tokens, run.from(), allTokens, row, run.length());
      for (; next < wanted.length && wanted[next] < run.to(); next++) {
        allWanted[next] = wanted[next] - run.from() + row;
      }
      row += run.length();
      runs.add(new Run<>(run.state(), from, row, first ? 0 : run.position() + prefix));
    }
    return new Rows(new Batch<>(runs), allTokens, allWanted);
  }

  /** Which row of the prefix a negative token stands for. */
  static int ofPrefix(int token) {
    return -1 - token;
  }
}
