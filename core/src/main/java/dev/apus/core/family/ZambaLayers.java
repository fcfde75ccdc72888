package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.model.Wiring;
import dev.apus.core.model.Wiring.Reads;
import dev.apus.core.weight.WeightNames;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * The layers of Zamba and Zamba 2: each a state-space mixer, and before that, in hybrid layers, a
 * transformer block that reads the residual stream beside the embedding. What the block gives is no
 * part of the residual stream: only the mixer of its layer reads it.
 *
 * @param hybrid the hybrid layers
 * @param blocks how many blocks there are; hybrid layers take them in turn
 */
record ZambaLayers(Decoder d, List<Integer> hybrid, int blocks) {

  /** The stream from a block to the mixer of its layer. */
  private static final String STREAM = "transformer";

  /** Sets the block's parts apart from the layer's own. */
  private static final String BLOCK = "shared";

  /**
   * Reads {@code layers_block_type}.
   *
   * @param absent the kinds of all layers, if the config does not say
   */
  static ZambaLayers read(Config c, List<String> absent, int blocks) {
    Decoder d =
        new Decoder(
            c,
            c.positive("hidden_size"),
            c.positive("num_hidden_layers"),
            c.positive("num_attention_heads"),
            Decoder.kvHeads(c, "num_attention_heads", "num_key_value_heads"),
            c.positive("max_position_embeddings", 4096));
    String key = Decoder.spelled(c, "layers_block_type", "layer_types");
    List<String> types = c.has(key) ? c.words(key) : absent;
    for (String type : types) {
      if (!Set.of("mamba", "linear_attention", "hybrid").contains(type)) {
        throw c.errorAt(
            key, "%s holds \"%s\"; this family has mamba, linear_attention and hybrid", key, type);
      }
    }
    if (types.size() != d.layers) {
      throw c.errorAt(key, "%s names %d layers, num_hidden_layers=%d", key, types.size(), d.layers);
    }
    List<Integer> hybrid =
        IntStream.range(0, d.layers).filter(i -> types.get(i).equals("hybrid")).boxed().toList();
    return new ZambaLayers(d, hybrid, blocks);
  }

  /** A block's attention, which reads rows of twice the model's width. */
  Part attention() {
    Config c = d.c;
    int inputs = c.positive("attention_hidden_size", 2 * d.width);
    if (inputs != 2 * d.width) {
      throw c.errorAt(
          "attention_hidden_size",
          "attention_hidden_size=%d must be twice hidden_size=%d",
          inputs,
          d.width);
    }
    return Part.of("attention")
        .with("heads", d.heads)
        .with("kvHeads", d.kvHeads)
        .with("headDim", headDim())
        .with("scale", (float) (1 / Math.sqrt(headDim() / 2.0)));
  }

  int headDim() {
    return d.c.positive("attention_head_dim", 2 * d.width / d.heads);
  }

  Architecture architecture(String family, Part attention, Part mlp, Part mixer, NormSpec norm) {
    Head head = Head.of(d.c.flag("tie_word_embeddings", true));
    Architecture plain =
        d.architecture(
            family,
            Embedding.PLAIN,
            i ->
                hybrid.contains(i)
                    ? hybrid(i, attention, mlp, mixer, norm)
                    : Layer.of(Branch.mixer(mixer, norm)),
            norm,
            head);
    return hybrid.isEmpty() ? plain : plain.withStream(STREAM, d.width);
  }

  private Layer hybrid(int layer, Part attention, Part mlp, Part mixer, NormSpec norm) {
    Wiring within = Wiring.PLAIN.reading(Reads.of(STREAM)).writing(STREAM);
    int owner = owner(layer);
    Wiring block = owner == layer ? within : within.weightsOf(owner);
    return Layer.of(
        Branch.mixer(attention, norm)
            .wired(block.named(BLOCK).reading(Reads.join(Wiring.RESIDUAL, Wiring.EMBEDDING))),
        Branch.channel(mlp, norm).wired(block.named(BLOCK)),
        Branch.channel(Part.of("linear"), null).wired(within),
        Branch.mixer(mixer, norm).wired(Wiring.PLAIN.reading(Reads.sum(Wiring.RESIDUAL, STREAM))));
  }

  /** The layer whose block a hybrid layer uses. */
  private int owner(int layer) {
    return hybrid.get(hybrid.indexOf(layer) % blocks);
  }

  /**
   * The names that both families have.
   *
   * @param block what a hybrid layer calls its block
   */
  WeightNames names(String block) {
    String layer = Names.LAYER + "{decoder}";
    String shared = Names.LAYER + block + ".";
    WeightNames names =
        new WeightNames()
            .place("decoder", i -> hybrid.contains(i) ? "mamba_decoder." : "")
            .place("owner", i -> Integer.toString(owner(i)))
            .place("use", i -> Integer.toString(hybrid.indexOf(i)))
            .row("embedding", "model.embed_tokens.weight")
            .row("norm", "model.final_layernorm.weight")
            .row("head", "lm_head.weight")
            .row("mixer.norm", layer + "input_layernorm.weight")
            .row("linear.w", Names.LAYER + "linear.weight")
            .row("shared.mixer.norm", shared + "input_layernorm.weight")
            .row("shared.channel.norm", shared + "pre_ff_layernorm.weight")
            .row("shared.gated-mlp.down", shared + "feed_forward.down_proj.weight")
            .ignore(".*\\.rotary_emb\\.inv_freq");
    for (String p : List.of("q", "k", "v", "o")) {
      names.row("shared.attention." + p, shared + "self_attn." + p + "_proj.weight");
    }
    for (int i : hybrid) {
      if (owner(i) != i) {
        names.copies(prefix(i, block), prefix(owner(i), block));
      }
    }
    return names;
  }

  private static String prefix(int layer, String block) {
    return "model.layers." + layer + "." + block + ".";
  }

  /** As many kinds, hybrid where the predicate says so. */
  static List<String> types(int layers, IntPredicate isHybrid) {
    List<String> types = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      types.add(isHybrid.test(i) ? "hybrid" : "mamba");
    }
    return types;
  }
}
