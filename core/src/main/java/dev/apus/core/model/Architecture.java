package dev.apus.core.model;

import dev.apus.core.config.Config;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * What a model is made of, in this library's own words: the one document between any checkpoint's
 * config and the running model. It can be printed, edited by hand and read again.
 *
 * @param family whose checkpoints look like this; a name for people
 * @param vocabulary how many tokens the model knows
 * @param width values of the residual stream for each token
 * @param context the longest sequence the model was made for
 * @param visibility what a token sees of its text: what came before it, or, in encoders and most
 *     diffusion models, what stands after it too
 * @param streams the widths of the streams, by name, that branches may read and write besides the
 *     residual stream
 * @param hyper how steps are joined to several residual streams; null for one, which they add to
 * @param ends what the last norm and the head read: the residual stream, or several streams
 * @param head null for an encoder that gives rows alone
 * @param diffusion what the model learned to undo, if it is a diffusion language model; or null.
 *     The visibility is then that of text without noise
 */
public record Architecture(
    String family,
    int vocabulary,
    int width,
    int context,
    Visibility visibility,
    Embedding embedding,
    Map<String, Integer> streams,
    HyperSpec hyper,
    List<Layer> layers,
    Wiring.Reads ends,
    NormSpec norm,
    Head head,
    Diffusion diffusion) {

  /** Far more layers than any model has: a count in a file must not fill the memory. */
  public static final int MOST_LAYERS = 1 << 16;

  public Architecture {
    Objects.requireNonNull(family, "family");
    Objects.requireNonNull(embedding, "embedding");
    Objects.requireNonNull(visibility, "visibility");
    Objects.requireNonNull(ends, "ends");
    if (visibility != Visibility.CAUSAL && visibility != Visibility.BIDIRECTIONAL) {
      throw new IllegalArgumentException("no text is " + visibility + " when it is read");
    }
    if (visibility == Visibility.CAUSAL || diffusion != null) {
      Objects.requireNonNull(head, "head");
    } else if (embedding.metaTokens() > 0) {
      throw new IllegalArgumentException("an encoder has no meta tokens");
    }
    layers = List.copyOf(layers);
    streams = Collections.unmodifiableMap(new LinkedHashMap<>(streams));
  }

  /** A model whose branches read and write the residual stream alone. */
  public Architecture(
      String family,
      int vocabulary,
      int width,
      int context,
      Embedding embedding,
      List<Layer> layers,
      NormSpec norm,
      Head head) {
    this(family, vocabulary, width, context, embedding, Map.of(), layers, norm, head);
  }

  /** A model that continues texts. */
  public Architecture(
      String family,
      int vocabulary,
      int width,
      int context,
      Embedding embedding,
      Map<String, Integer> streams,
      List<Layer> layers,
      NormSpec norm,
      Head head) {
    this(
        family,
        vocabulary,
        width,
        context,
        Visibility.CAUSAL,
        embedding,
        streams,
        null,
        layers,
        Wiring.PLAIN.reads(),
        norm,
        head,
        null);
  }

  /** This model with several residual streams. */
  public Architecture joined(HyperSpec connections) {
    return with(visibility, streams, connections, layers, ends, head, diffusion);
  }

  /** This model as an encoder, whose tokens see the whole text. */
  public Architecture bidirectional() {
    return with(Visibility.BIDIRECTIONAL, streams, hyper, layers, ends, head, diffusion);
  }

  /** This model as a diffusion model, whose tokens see those after them. */
  public Architecture denoising(Diffusion undone) {
    return denoising(undone, Visibility.BIDIRECTIONAL);
  }

  /** The same where text without noise sees what {@code text} says. */
  public Architecture denoising(Diffusion undone, Visibility text) {
    return with(text, streams, hyper, layers, ends, head, undone);
  }

  /** This encoder without what makes logits of its rows. */
  public Architecture withoutHead() {
    return with(visibility, streams, hyper, layers, ends, null, diffusion);
  }

  /** This model with other layers. */
  public Architecture withLayers(List<Layer> others) {
    return with(visibility, streams, hyper, others, ends, head, diffusion);
  }

  /** This model, whose last norm and head read other streams than the residual one. */
  public Architecture endingWith(Wiring.Reads others) {
    return with(visibility, streams, hyper, layers, others, head, diffusion);
  }

  /** This model with another stream for its branches. */
  public Architecture withStream(String name, int width) {
    Map<String, Integer> more = new LinkedHashMap<>(streams);
    more.put(name, width);
    return with(visibility, more, hyper, layers, ends, head, diffusion);
  }

  private Architecture with(
      Visibility otherVisibility,
      Map<String, Integer> otherStreams,
      HyperSpec otherHyper,
      List<Layer> otherLayers,
      Wiring.Reads otherEnds,
      Head otherHead,
      Diffusion otherDiffusion) {
    return new Architecture(
        family,
        vocabulary,
        width,
        context,
        otherVisibility,
        embedding,
        otherStreams,
        otherHyper,
        otherLayers,
        otherEnds,
        norm,
        otherHead,
        otherDiffusion);
  }

  /** Values of the rows that the last norm and the head read. */
  public int endWidth() {
    Stream<String> read = ends.streams().stream();
    return ends.joined() ? read.mapToInt(name -> streams.getOrDefault(name, width)).sum() : width;
  }

  /** Whether this reads whole texts, instead of continuing them or filling them in. */
  public boolean isEncoder() {
    return visibility == Visibility.BIDIRECTIONAL && diffusion == null;
  }

  /**
   * Whether this is a diffusion model that reads text from left to right and fills in a canvas
   * behind it: at most as many tokens as a block has, which see each other, and whose rows are not
   * kept.
   */
  public boolean hasCanvases() {
    return visibility == Visibility.CAUSAL && diffusion != null;
  }

  /**
   * How tokens become rows.
   *
   * @param scale factor on the embedding
   * @param positions how many learned position rows are added; 0 for none
   * @param norm applied to the sum, or null
   * @param metaTokens how many learned rows come before the first token of every sequence; they
   *     take the first positions, and nobody sees their logits
   * @param skipped rows of the learned positions before that of the first token, used by nobody
   * @param types how many kinds of tokens there are that each have a learned row, which is added; 0
   *     for none
   * @param axes how the rows of positions are put together, or null if each is learned
   */
  public record Embedding(
      float scale,
      int positions,
      NormSpec norm,
      int metaTokens,
      int skipped,
      int types,
      Axes axes) {
    public static final Embedding PLAIN = new Embedding(1, 0, null);

    public Embedding {
      if (metaTokens > 0 && positions > 0) {
        throw new IllegalArgumentException(
            "an embedding has either meta tokens or learned positions, found both");
      }
      if (axes != null && (skipped > 0 || positions > (long) axes.lines() * axes.columns())) {
        throw new IllegalArgumentException(
            "axes are those of all positions, and none is skipped; found " + axes);
      }
    }

    public Embedding(float scale, int positions, NormSpec norm) {
      this(scale, positions, norm, 0, 0, 0, null);
    }

    public Embedding(float scale, int positions, NormSpec norm, int metaTokens) {
      this(scale, positions, norm, metaTokens, 0, 0, null);
    }

    /** This embedding with so many rows before that of the first position. */
    public Embedding skipping(int rows) {
      return new Embedding(scale, positions, norm, metaTokens, rows, types, axes);
    }

    /** This embedding with rows for so many kinds of tokens. */
    public Embedding withTypes(int count) {
      return new Embedding(scale, positions, norm, metaTokens, skipped, count, axes);
    }

    /** This embedding, whose positions lie in a page. */
    public Embedding axial(Axes page) {
      return new Embedding(scale, positions, norm, metaTokens, skipped, types, page);
    }
  }

  /**
   * How rows become logits.
   *
   * @param tied whether the embedding serves as the head
   * @param scale factor on the logits
   * @param softcap logits become {@code softcap · tanh(logit / softcap)}; 0 for none
   * @param transform what rows go through before, or null
   */
  public record Head(
      boolean tied, boolean biased, float scale, float softcap, Transform transform) {

    public Head(boolean tied, boolean biased, float scale, float softcap) {
      this(tied, biased, scale, softcap, null);
    }

    public static Head of(boolean tied) {
      return new Head(tied, false, 1, 0);
    }

    /** The head of a masked language model. */
    public static Head masked(boolean tied, boolean biased, Transform transform) {
      return new Head(tied, biased, 1, 0, transform);
    }
  }

  /** Steps that follow one another. */
  public record Layer(List<Step> steps) {
    public Layer {
      steps = List.copyOf(steps);
    }

    public static Layer of(Branch... steps) {
      return new Layer(Arrays.stream(steps).map(b -> new Step(List.of(b))).toList());
    }

    /** Branches that all read the same rows. */
    public static Layer parallel(Branch... branches) {
      return new Layer(List.of(new Step(List.of(branches))));
    }
  }

  /**
   * Branches that read what was there before any of them wrote.
   *
   * @param residual norm of the residual stream before anything is added to it; null to keep it
   * @param keep factor on what the stream is then
   * @param sum norm of the residual stream after everything has been added, as in the first
   *     Transformers; null for none
   * @param noisySum the same for the noisy rows of a canvas, where it is another norm; or null
   */
  public record Step(
      List<Branch> branches, NormSpec residual, float keep, NormSpec sum, NormSpec noisySum) {
    public Step {
      branches = List.copyOf(branches);
      if (branches.isEmpty() && (residual != null || sum != null || noisySum != null)) {
        throw new IllegalArgumentException("the norms of a step are named by its first branch");
      }
    }

    public Step(List<Branch> branches) {
      this(branches, null);
    }

    public Step(List<Branch> branches, NormSpec residual) {
      this(branches, residual, 1, null, null);
    }

    /** This step with other branches. */
    public Step with(List<Branch> others) {
      return new Step(others, residual, keep, sum, noisySum);
    }

    public Step keeping(float factor) {
      return new Step(branches, residual, factor, sum, noisySum);
    }

    /** This step with a norm of the sum. */
    public Step summing(NormSpec norm) {
      return new Step(branches, residual, keep, norm, noisySum);
    }

    /** This step with another norm of the sum where rows are noisy. */
    public Step summingNoise(NormSpec norm) {
      return new Step(branches, residual, keep, sum, norm);
    }
  }

  /**
   * One way from the residual stream back to it: {@code x + scale · after(part(before(x)))}.
   *
   * @param role what the part does, and the name of the norms' weights
   * @param before norm of what the part reads, or null
   * @param after norm of what the part gives, or null
   * @param wiring what it reads, writes and shares; for most branches {@link Wiring#PLAIN}
   */
  public record Branch(
      Role role, Part part, NormSpec before, NormSpec after, float scale, Wiring wiring) {

    public Branch {
      Objects.requireNonNull(wiring, "wiring");
    }

    public static Branch mixer(Part part, NormSpec before) {
      return new Branch(Role.MIXER, part, before, null, 1, Wiring.PLAIN);
    }

    public static Branch channel(Part part, NormSpec before) {
      return new Branch(Role.CHANNEL, part, before, null, 1, Wiring.PLAIN);
    }

    public Branch after(NormSpec norm) {
      return new Branch(role, part, before, norm, scale, wiring);
    }

    public Branch scaled(float factor) {
      return new Branch(role, part, before, after, factor, wiring);
    }

    public Branch wired(Wiring other) {
      return new Branch(role, part, before, after, scale, other);
    }

    public Branch with(Part other) {
      return new Branch(role, other, before, after, scale, wiring);
    }
  }

  /** Whether a part mixes along the sequence or along the width. */
  public enum Role {
    MIXER,
    CHANNEL
  }

  /** Rows that a sequence of so many tokens has, with those of the meta tokens. */
  int rows(int tokens) {
    return (int) Math.min(Integer.MAX_VALUE, (long) tokens + embedding.metaTokens());
  }

  /** The document as JSON; {@link #read} gives an equal architecture back. */
  public String toJson() {
    return ArchitectureJson.print(this);
  }

  /**
   * Reads a document.
   *
   * @throws dev.apus.core.config.ConfigException naming the first key that is wrong
   */
  public static Architecture read(Config json) {
    return ArchitectureJson.read(json);
  }
}
