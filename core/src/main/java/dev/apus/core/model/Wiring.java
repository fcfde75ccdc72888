package dev.apus.core.model;

import dev.apus.core.config.Config;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a branch is joined to the rest of its model: the streams that it reads and writes, and what
 * of another layer it uses.
 *
 * <p>A stream is a row of values for each token. The <em>residual</em> stream is added to; any
 * other stream holds what the last step that wrote it gave, until another step writes it. The
 * stream <em>embedding</em> is what the first layer reads.
 *
 * @param name sets the weights and the state of this branch apart from others of its kind in the
 *     layer; empty for none
 * @param reads what the part is given
 * @param writes where what it gives goes to
 * @param weightsOf the earlier layer whose branch of the same name and kind has the weights; −1 for
 *     its own
 * @param stateOf the earlier layer whose branch of the same name and kind has the state; −1 for its
 *     own
 * @param choiceOf the earlier layer whose mixer of the same name and kind chooses which tokens are
 *     attended to; −1 if it chooses itself, or nothing is chosen
 */
public record Wiring(
    String name, Reads reads, String writes, int weightsOf, int stateOf, int choiceOf) {

  /** The stream that all layers read and add to, unless they say otherwise. */
  public static final String RESIDUAL = "residual";

  /** The stream that holds the tokens' embeddings as the first layer reads them. */
  public static final String EMBEDDING = "embedding";

  /** What follows the name of a stream of which a layer reads its share. */
  static final String OF_LAYER = "[layer]";

  /** The share of a layer in a stream that holds equal parts for all layers side by side. */
  public static String ofLayer(String stream) {
    return stream + OF_LAYER;
  }

  /** Reads the residual stream, adds to it, and shares nothing. */
  public static final Wiring PLAIN = new Wiring("", Reads.of(RESIDUAL), RESIDUAL, -1, -1, -1);

  /**
   * Rows made of the rows of streams, or of a layer's share of them ({@link Wiring#ofLayer}).
   *
   * @param joined whether the rows are put one after the other; otherwise they are added
   * @param beside streams whose rows come after those, which alone are normalised
   */
  public record Reads(List<String> streams, boolean joined, List<String> beside) {

    public Reads {
      streams = List.copyOf(streams);
      beside = List.copyOf(beside);
      if (streams.isEmpty() || (joined && streams.size() == 1)) {
        throw new IllegalArgumentException("a branch reads one stream, or joins or adds several");
      }
    }

    public Reads(List<String> streams, boolean joined) {
      this(streams, joined, List.of());
    }

    Object toJson() {
      if (streams.size() == 1 && beside.isEmpty()) {
        return streams.getFirst();
      }
      Map<String, Object> map = new LinkedHashMap<>();
      map.put(joined ? "join" : "add", streams);
      if (!beside.isEmpty()) {
        map.put("beside", beside);
      }
      return map;
    }

    public static Reads of(String stream) {
      return new Reads(List.of(stream), false);
    }

    public static Reads sum(String... streams) {
      return new Reads(List.of(streams), false);
    }

    public static Reads join(String... streams) {
      return new Reads(List.of(streams), true);
    }

    /** These rows with those of another stream after them. */
    public Reads beside(String stream) {
      return new Reads(streams, joined, List.of(stream));
    }

    /** What a key of a document names. */
    static Reads read(Config owner, String key) {
      if (owner.raw(key) instanceof String stream) {
        return Reads.of(stream);
      }
      Config c = owner.section(key);
      String how = c.has("join") ? "join" : "add";
      List<String> streams = c.words(how);
      List<String> beside = c.has("beside") ? c.words("beside") : List.of();
      if (streams.size() < (how.equals("add") && !beside.isEmpty() ? 1 : 2)) {
        throw c.errorAt(how, "%s must name two streams at least", how);
      }
      if (!c.unread().isEmpty()) {
        throw c.error("%s cannot be beside %s", c.unread().getFirst(), how);
      }
      return new Reads(streams, how.equals("join"), beside);
    }
  }

  public Wiring named(String other) {
    return new Wiring(other, reads, writes, weightsOf, stateOf, choiceOf);
  }

  public Wiring reading(Reads other) {
    return new Wiring(name, other, writes, weightsOf, stateOf, choiceOf);
  }

  public Wiring writing(String stream) {
    return new Wiring(name, reads, stream, weightsOf, stateOf, choiceOf);
  }

  public Wiring weightsOf(int layer) {
    return new Wiring(name, reads, writes, layer, stateOf, choiceOf);
  }

  public Wiring stateOf(int layer) {
    return new Wiring(name, reads, writes, weightsOf, layer, choiceOf);
  }

  public Wiring choiceOf(int layer) {
    return new Wiring(name, reads, writes, weightsOf, stateOf, layer);
  }

  /** What is not as in {@link #PLAIN}, under the keys that {@link #read} reads. */
  Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    if (!name.equals(PLAIN.name)) {
      map.put("name", name);
    }
    if (!reads.equals(PLAIN.reads)) {
      map.put("reads", reads.toJson());
    }
    if (!writes.equals(PLAIN.writes)) {
      map.put("writes", writes);
    }
    if (weightsOf >= 0) {
      map.put("weightsOf", weightsOf);
    }
    if (stateOf >= 0) {
      map.put("stateOf", stateOf);
    }
    if (choiceOf >= 0) {
      map.put("choiceOf", choiceOf);
    }
    return map;
  }

  static Wiring read(Config branch) {
    return new Wiring(
        branch.word("name", PLAIN.name),
        branch.has("reads") ? Reads.read(branch, "reads") : PLAIN.reads,
        branch.word("writes", PLAIN.writes),
        layer(branch, "weightsOf"),
        layer(branch, "stateOf"),
        layer(branch, "choiceOf"));
  }

  private static int layer(Config branch, String key) {
    return branch.has(key) ? branch.count(key) : -1;
  }
}
