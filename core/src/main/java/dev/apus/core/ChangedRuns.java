package dev.apus.core;

import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceState;
import dev.apus.core.model.Visibility;
import java.util.List;
import java.util.Locale;

/** The runs that rows of one noisy text are computed in. */
final class ChangedRuns {

  private ChangedRuns() {}

  /**
   * Adds the runs of a change.
   *
   * @param block tokens of the model's blocks; 0 if a token sees the text as a whole
   * @param end of the text after the change
   * @param level of its noise
   * @param row the first of its rows in the batch
   * @throws IllegalArgumentException if positions have a gap before them, or are of a part of a
   *     block that others follow
   */
  static void add(
      int[] positions,
      SequenceState state,
      int block,
      int end,
      double level,
      int row,
      List<Run<SequenceState>> runs) {
    int lastBlock = block == 0 ? 0 : (end - 1) / block * block;
    int next = state.length();
    for (int from = 0, to; from < positions.length; from = to) {
      int first = positions[from];
      int most = first < lastBlock ? block : Integer.MAX_VALUE;
      to = from + 1;
      while (to < positions.length && to - from < most && positions[to] == first + to - from) {
        to++;
      }
      boolean ascends = from == 0 || first > positions[from - 1];
      boolean cut = first < lastBlock && (first % block != 0 || to - from < block);
      if (!ascends || cut || first > next) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "%d rows at %d of %d, of which %d are kept; needed: ascending, without a gap%s",
                to - from,
                first,
                end,
                state.length(),
                block == 0 ? "" : ", whole blocks of " + block + " before the last"));
      }
      next = Math.max(next, first + to - from);
      runs.add(
          new Run<>(
                  state,
                  row + from,
                  row + to,
                  first,
                  first < lastBlock ? Visibility.BIDIRECTIONAL : Visibility.SURROUNDED)
              .atLevel(level));
    }
  }
}
