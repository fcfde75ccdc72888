package dev.apus.core;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceState;
import dev.apus.core.routing.RouteListener;
import java.util.Arrays;
import java.util.Collections;
import java.util.Locale;
import java.util.Set;
import java.util.WeakHashMap;

/**
 * The tokens of a session, the state after those that have been computed, and the logits after the
 * last one if they are known. Whoever uses it has entered its session.
 */
final class Sequence implements AutoCloseable {

  private final Model model;
  private final SequenceState state;
  private final PrefixUse prefixes;
  private int[] tokens;
  private int length;
  private float[] logits;
  private int logitsAt = -1;
  private int reused;

  /** Whether the state is what it would be after computing all of its tokens at once. */
  private boolean exact = true;

  /** Places that somebody may come back to; who forgets one need not close it. */
  private final Set<Place> places = Collections.newSetFromMap(new WeakHashMap<>());

  private SequenceState.Mark undo;
  private Pass pass;
  private RouteListener routes;

  Sequence(Model model, SequenceState state) {
    this.model = model;
    this.state = state;
    this.tokens = new int[0];
    this.prefixes = model.newPrefixUse(state.limit());
  }

  /** A sequence that is where another one was. */
  Sequence(Model model, SequenceState state, SessionFile.Head head) {
    this(model, state);
    tokens = head.tokens();
    length = tokens.length;
    exact = head.exact();
    if (head.logits() != null) {
      computed(head.logits());
    }
  }

  /**
   * @throws IllegalArgumentException if a model has no sequence of at most {@code limit} tokens
   */
  static void requirePossible(Architecture architecture, int limit) {
    if (architecture.isEncoder()) {
      throw new IllegalArgumentException(
          architecture.family()
              + " is an encoder: it reads whole texts (Model.newEncoder, apus embed) and has no"
              + " sessions that continue one");
    }
    if (architecture.diffusion() != null) {
      throw new IllegalArgumentException(
          architecture.family()
              + " is a diffusion model: it fills texts in anywhere (Canvas of the module"
              + " dev.apus.diffusion, apus generate) and has no sessions that continue one");
    }
    requireRoom(architecture, limit);
  }

  /**
   * @throws IllegalArgumentException if a model has no text of at most {@code limit} tokens
   */
  static void requireRoom(Architecture architecture, int limit) {
    int positions = architecture.embedding().positions();
    if (limit < 1 || (positions > 0 && limit > positions)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a session of %d tokens; %s",
              limit,
              limit < 1 ? "needed is 1 at least" : "the model has " + positions + " positions"));
    }
  }

  /** Who is told where tokens go, or null. */
  RouteListener routes() {
    return routes;
  }

  void tellRoutes(RouteListener listener) {
    routes = listener;
  }

  Model model() {
    return model;
  }

  SequenceState state() {
    return state;
  }

  int length() {
    return length;
  }

  int limit() {
    return state.limit();
  }

  int reused() {
    return reused;
  }

  float[] logits() {
    return logits;
  }

  int[] tokens() {
    return Arrays.copyOf(tokens, length);
  }

  /** The tokens, and maybe room for more; not to be changed. */
  int[] history() {
    return tokens;
  }

  long bytes() {
    long kept = places.stream().mapToLong(Place::bytes).sum();
    return state.bytes() + kept + (undo == null ? 0 : undo.bytes());
  }

  /** The session's own; one that others compute for does not have it. */
  Pass pass() {
    if (pass == null) {
      pass = model.newPass();
    }
    return pass;
  }

  SessionFile.Head head() {
    return new SessionFile.Head(
        limit(), model.network().variant(limit()), tokens(), isDue() ? null : logits, exact);
  }

  Sequence copy() {
    Sequence copy = new Sequence(model, state.copy(), head());
    copy.reused = reused;
    return copy;
  }

  void append(int... more) {
    checkTokens(more);
    if (length + more.length > tokens.length) {
      long wanted = Math.max(2L * tokens.length, length + (long) more.length);
      tokens = Arrays.copyOf(tokens, (int) Math.min(wanted, limit()));
    }
    System.arraycopy(more, 0, tokens, length, more.length);
    length += more.length;
  }

  private void checkTokens(int[] more) {
    if (more.length > limit() - length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the session is at %d tokens of at most %d; %d more do not fit; open it with a larger"
                  + " limit",
              length,
              limit(),
              more.length));
    }
    checkTokens(more, model.architecture().vocabulary());
  }

  /** Refuses tokens that are not in a vocabulary of so many. */
  static void checkTokens(int[] more, int vocabulary) {
    for (int i = 0; i < more.length; i++) {
      if (more[i] < 0 || more[i] >= vocabulary) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "token %d at %d is not in the vocabulary of %d",
                more[i],
                i,
                vocabulary));
      }
    }
  }

  /** Whether there is something to compute before the logits are known. */
  boolean isDue() {
    return logitsAt != length;
  }

  /** How many tokens have not been computed. */
  int due() {
    return length - state.length();
  }

  /** The next {@code count} tokens that have not been computed. */
  int[] next(int count) {
    return Arrays.copyOfRange(tokens, state.length(), state.length() + count);
  }

  /** Must be called before the first step towards the logits. */
  void begin() {
    if (prefixes != null && due() > 0) {
      prefixes.begin(this);
    }
  }

  /**
   * How many of the tokens that are due the next step should take, so that no cut shows in the
   * bits.
   *
   * @param rows how many it may take
   * @return 0 if it has to be more than it may
   */
  int piece(int rows) {
    int count = due() <= rows ? due() : rows - rows % model.grain();
    int from = state.length();
    return prefixes == null ? count : prefixes.stop(from, from + count) - from;
  }

  /**
   * Takes note of a step.
   *
   * @param row the logits, if the step took all that was due
   */
  void advanced(Run<SequenceState> run, float[] row) {
    exact &= run.position() % model.grain() == 0;
    if (row != null) {
      computed(row);
    }
    if (prefixes != null) {
      prefixes.advanced(this, row, exact);
    }
  }

  private void computed(float[] row) {
    logits = row;
    logitsAt = length;
  }

  /** Goes to where another state is, whose tokens are the first ones of this sequence. */
  void become(SequenceState there, boolean exactly, float[] row) {
    state.become(there);
    exact = exactly;
    reused = there.length();
    if (due() == 0) {
      computed(row);
    }
  }

  /** Rests where it is. */
  void settle() {
    if (prefixes != null) {
      prefixes.settle(this, exact);
    }
  }

  /** Remembers this place for {@link #undo}. */
  void keep() {
    undo = state.mark(undo);
  }

  /** Goes back to where {@link #keep} was called last. */
  void undo() {
    undo.rewind();
  }

  /** Forgets the place that {@link #keep} remembered. */
  void release() {
    undo.close();
  }

  /** A place to come back to. */
  Place place() {
    Place place = new Place();
    places.add(place);
    return place;
  }

  /** A place to come back to. The beginning takes no memory: whoever comes back begins anew. */
  final class Place {

    private final SequenceState.Mark mark = state.length() == 0 ? null : state.mark(null);
    private final int[] tokensThen = tokens();
    private final float[] logitsThen = isDue() ? null : logits;
    private final boolean exactThen = exact;
    private final int reusedThen = reused;

    private Place() {}

    void rewind() {
      if (mark == null) {
        try (SequenceState beginning = model.network().newState(limit())) {
          state.become(beginning);
        }
      } else {
        mark.rewind();
      }
      tokens = tokensThen.clone();
      length = tokensThen.length;
      logits = logitsThen;
      logitsAt = logitsThen == null ? -1 : length;
      exact = exactThen;
      reused = reusedThen;
    }

    private long bytes() {
      return mark == null ? 0 : mark.bytes();
    }

    void close() {
      places.remove(this);
      if (mark != null) {
        mark.close();
      }
    }
  }

  @Override
  public void close() {
    state.close();
  }
}
