package dev.apus.core.model;

import dev.apus.core.config.Config;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * What a model is made of, in this library's own words: the one document between any checkpoint's
 * config and the running model. It can be printed, edited by hand and read again.
 *
 * @param family whose checkpoints look like this; a name for people
 * @param vocabulary how many tokens the model knows
 * @param width values of the residual stream for each token
 * @param context the longest sequence the model was made for
 */
public record Architecture(
    String family,
    int vocabulary,
    int width,
    int context,
    Embedding embedding,
    List<Layer> layers,
    NormSpec norm,
    Head head) {

  /** Far more layers than any model has: a count in a file must not fill the memory. */
  public static final int MOST_LAYERS = 1 << 16;

  public Architecture {
    Objects.requireNonNull(family, "family");
    Objects.requireNonNull(embedding, "embedding");
    Objects.requireNonNull(head, "head");
    layers = List.copyOf(layers);
  }

  /**
   * How tokens become rows.
   *
   * @param scale factor on the embedding
   * @param positions how many learned position rows are added; 0 for none
   * @param norm applied to the sum, or null
   */
  public record Embedding(float scale, int positions, NormSpec norm) {
    public static final Embedding PLAIN = new Embedding(1, 0, null);
  }

  /**
   * How rows become logits.
   *
   * @param tied whether the embedding serves as the head
   * @param scale factor on the logits
   * @param softcap logits become {@code softcap · tanh(logit / softcap)}; 0 for none
   */
  public record Head(boolean tied, boolean biased, float scale, float softcap) {
    public static Head of(boolean tied) {
      return new Head(tied, false, 1, 0);
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
   * Branches that read the same rows and are added to them.
   *
   * @param residual what becomes of the rows before anything is added to them; null to keep them
   */
  public record Step(List<Branch> branches, NormSpec residual) {
    public Step {
      branches = List.copyOf(branches);
      if (branches.isEmpty() && residual != null) {
        throw new IllegalArgumentException("the residual of a step is named by its first branch");
      }
    }

    public Step(List<Branch> branches) {
      this(branches, null);
    }
  }

  /**
   * One way from the residual stream back to it: {@code x + scale · after(part(before(x)))}.
   *
   * @param role what the part does, and the name of the norms' weights
   * @param before norm of what the part reads, or null
   * @param after norm of what the part gives, or null
   */
  public record Branch(Role role, Part part, NormSpec before, NormSpec after, float scale) {

    public static Branch mixer(Part part, NormSpec before) {
      return new Branch(Role.MIXER, part, before, null, 1);
    }

    public static Branch channel(Part part, NormSpec before) {
      return new Branch(Role.CHANNEL, part, before, null, 1);
    }

    public Branch after(NormSpec norm) {
      return new Branch(role, part, before, norm, scale);
    }

    public Branch scaled(float factor) {
      return new Branch(role, part, before, after, factor);
    }
  }

  /** Whether a part mixes along the sequence or along the width. */
  public enum Role {
    MIXER,
    CHANNEL
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
