package dev.apus.core;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceState;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What reads whole texts with a model whose tokens see all of their text: a row for each token, and
 * from these the logits of a masked language model. It remembers nothing of a text that it has
 * read. Calls from several threads wait for each other; an encoder for each thread does not.
 */
public final class Encoder {

  private final Model model;
  private final Pass pass;

  /**
   * @throws IllegalStateException if the model is no encoder
   */
  Encoder(Model model) {
    if (!model.architecture().isEncoder()) {
      throw new IllegalStateException(
          model.architecture().family() + " continues texts, in sessions; it is no encoder");
    }
    this.model = model;
    this.pass = model.newPass();
  }

  /** Reads one text, like {@link #encode(List)}. */
  public Encoding encode(int... tokens) {
    return encode(List.of(tokens)).getFirst();
  }

  /**
   * Reads texts, as many at a time as suit the machine and without padding: each gets the bits that
   * it gets alone.
   *
   * @param texts the tokens of each
   * @throws IllegalArgumentException if a text is empty, longer than the model can read, or has a
   *     token that is not in the vocabulary
   * @throws dev.apus.core.generate.GenerationException if the model is closed meanwhile
   */
  public List<Encoding> encode(List<int[]> texts) {
    return encode(texts, null);
  }

  /**
   * Reads texts whose tokens are of several kinds, such as a question and the passage after it.
   *
   * @param types the kind of each token of each text; null if all are of kind 0
   * @throws IllegalArgumentException also if the model has no such kind, or a text has another
   *     number of kinds than tokens
   */
  public List<Encoding> encode(List<int[]> texts, List<int[]> types) {
    return encode(texts, types, null);
  }

  /**
   * Reads texts of which some tokens see, and are seen by, the whole text in layers that otherwise
   * see what is near.
   *
   * @param global the positions of these tokens in each text; null if there are none
   * @throws IllegalArgumentException also if no layer of the model knows such tokens, or a position
   *     is not in its text
   */
  public synchronized List<Encoding> encode(
      List<int[]> texts, List<int[]> types, List<int[]> global) {
    if (types != null && types.size() != texts.size()) {
      throw new IllegalArgumentException(
          texts.size() + " texts, and the kinds of the tokens of " + types.size());
    }
    for (int i = 0; i < texts.size(); i++) {
      check(texts.get(i), types == null ? null : types.get(i));
    }
    List<int[]> wide = global == null ? null : checked(texts, global);
    List<Encoding> result = new ArrayList<>();
    for (int from = 0, to; from < texts.size(); from = to) {
      int rows = texts.get(from).length;
      for (to = from + 1; to < texts.size(); to++) {
        if (rows + texts.get(to).length > Computation.CHUNK) {
          break;
        }
        rows += texts.get(to).length;
      }
      List<int[]> kinds = types == null ? null : types.subList(from, to);
      List<int[]> seeing = wide == null ? null : wide.subList(from, to);
      result.addAll(together(texts.subList(from, to), kinds, seeing));
    }
    return result;
  }

  private void check(int[] tokens, int[] types) {
    Architecture architecture = model.architecture();
    int positions = architecture.embedding().positions();
    if (tokens.length == 0 || (positions > 0 && tokens.length > positions)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a text of %d tokens; %s",
              tokens.length,
              tokens.length == 0
                  ? "needed is 1 at least"
                  : "the model reads at most " + positions));
    }
    Sequence.checkTokens(tokens, architecture.vocabulary());
    if (types == null) {
      return;
    }
    if (types.length != tokens.length) {
      throw new IllegalArgumentException(
          "a text of " + tokens.length + " tokens, and kinds of " + types.length);
    }
    int known = architecture.embedding().types();
    for (int type : types) {
      if (type < 0 || type >= known) {
        throw new IllegalArgumentException(
            "a token of kind " + type + "; the model has " + known + " kinds of tokens");
      }
    }
  }

  /** The positions of global tokens in ascending order, each once. */
  private List<int[]> checked(List<int[]> texts, List<int[]> global) {
    if (global.size() != texts.size()) {
      throw new IllegalArgumentException(
          texts.size() + " texts, and the global tokens of " + global.size());
    }
    List<int[]> checked = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      int[] positions = Arrays.stream(global.get(i)).sorted().distinct().toArray();
      int length = texts.get(i).length;
      for (int position : positions) {
        if (position < 0 || position >= length) {
          throw new IllegalArgumentException(
              "a global token at " + position + " of a text of " + length + " tokens");
        }
      }
      if (positions.length > 0 && !model.network().seesGlobalTokens()) {
        throw new IllegalArgumentException(
            model.architecture().family() + " has no layer that knows global tokens");
      }
      checked.add(positions);
    }
    return checked;
  }

  /** Reads texts in one pass. */
  private List<Encoding> together(List<int[]> texts, List<int[]> types, List<int[]> global) {
    int[] tokens = joined(texts);
    Matrix rows = Matrix.zeros(tokens.length, model.architecture().endWidth());
    List<Run<SequenceState>> runs = new ArrayList<>();
    try {
      for (int[] text : texts) {
        int from = runs.isEmpty() ? 0 : runs.getLast().to();
        SequenceState state = model.network().newState(text.length);
        var run = new Run<>(state, from, from + text.length, 0, Visibility.BIDIRECTIONAL);
        runs.add(global == null ? run : run.withGlobal(global.get(runs.size())));
      }
      int[] kinds = types == null ? null : joined(types);
      computed(
          () ->
              model
                  .network()
                  .encode(
                      pass, new Batch<>(runs), tokens, kinds, rows, model.lifetime()::isClosed));
    } finally {
      runs.forEach(run -> run.state().close());
    }
    return runs.stream().map(run -> new Encoding(this, part(rows, run.from(), run.to()))).toList();
  }

  private static int[] joined(List<int[]> lists) {
    return lists.stream().flatMapToInt(Arrays::stream).toArray();
  }

  private static Matrix part(Matrix rows, int from, int to) {
    float[] data = Arrays.copyOfRange(rows.data(), rows.at(from), rows.at(to));
    return new Matrix(data, to - from, rows.cols());
  }

  /** The logits of some rows, as one matrix. */
  synchronized Matrix logits(Matrix rows) {
    Matrix logits = Matrix.zeros(rows.rows(), model.architecture().vocabulary());
    computed(() -> model.network().predict(pass, rows, logits));
    return logits;
  }

  private void computed(Runnable work) {
    Lifetime lifetime = model.lifetime();
    lifetime.enter();
    try {
      work.run();
    } catch (RuntimeException | Error e) {
      throw Step.explained(model, "an encoder", e);
    } finally {
      lifetime.leave();
    }
  }
}
