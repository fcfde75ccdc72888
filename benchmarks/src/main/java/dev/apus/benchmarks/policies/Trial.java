package dev.apus.benchmarks.policies;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.model.AttentionPolicy;
import dev.apus.core.model.KeyVisits;
import java.util.Arrays;

/**
 * A text under one policy: a prompt at once, and then token by token.
 *
 * @param promptKeys the keys that the prompt's queries visited
 * @param promptSeconds of the prompt
 * @param tokenKeys the keys that the queries of single tokens visited
 * @param tokenSeconds of one token, on average
 * @param stateBytes what the session took in the end
 * @param logits after the prompt, and after each token
 */
record Trial(
    KeyVisits promptKeys,
    double promptSeconds,
    KeyVisits tokenKeys,
    double tokenSeconds,
    long stateBytes,
    float[][] logits) {

  /**
   * The longest prompt that is read before anything is measured, so that the JVM has compiled what
   * runs: it is longer than the budgets of policies are by default.
   */
  private static final int WARM = 4096;

  /** Single tokens behind that prompt. */
  private static final int WARM_TOKENS = 256;

  /**
   * Runs a text.
   *
   * @param prompt how many of the tokens are read at once
   */
  static Trial of(Subject subject, ModelOptions options, String policy, int[] tokens, int prompt) {
    ModelOptions chosen = options.withAttention(AttentionPolicy.parse(policy)).withoutEasing();
    try (Model model = subject.opener().open(chosen)) {
      int warm = Math.min(prompt, WARM);
      run(model, Arrays.copyOf(tokens, Math.min(tokens.length, warm + WARM_TOKENS)), warm);
      return run(model, tokens, prompt);
    }
  }

  private static Trial run(Model model, int[] tokens, int prompt) {
    try (Session session = model.newSession(tokens.length)) {
      float[][] logits = new float[tokens.length - prompt + 1][];
      session.append(Arrays.copyOf(tokens, prompt));
      long start = System.nanoTime();
      logits[0] = session.logits();
      long read = System.nanoTime();
      KeyVisits promptKeys = session.keyVisits();
      for (int i = prompt; i < tokens.length; i++) {
        session.append(tokens[i]);
        logits[i - prompt + 1] = session.logits();
      }
      long end = System.nanoTime();
      return new Trial(
          promptKeys,
          (read - start) / 1e9,
          session.keyVisits().minus(promptKeys),
          (end - read) / 1e9 / Math.max(1, tokens.length - prompt),
          session.bytes(),
          logits);
    }
  }

  /** The largest difference of a logit to another trial's, as a share of the spread of those. */
  double change(Trial full) {
    double sum = 0;
    double squares = 0;
    double largest = 0;
    int count = 0;
    for (int i = 0; i < logits.length; i++) {
      for (int j = 0; j < logits[i].length; j++) {
        double value = full.logits[i][j];
        sum += value;
        squares += value * value;
        count++;
        largest = Math.max(largest, Math.abs(value - logits[i][j]));
      }
    }
    double mean = sum / count;
    return largest / Math.sqrt(squares / count - mean * mean);
  }

  /** The part of the places where the most likely token is another trial's, too. */
  double agreement(Trial full) {
    int same = 0;
    for (int i = 0; i < logits.length; i++) {
      same += best(logits[i]) == best(full.logits[i]) ? 1 : 0;
    }
    return same / (double) logits.length;
  }

  private static int best(float[] row) {
    int best = 0;
    for (int i = 1; i < row.length; i++) {
      best = row[i] > row[best] ? i : best;
    }
    return best;
  }
}
