package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.model.Axes;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.model.Wiring;
import dev.apus.core.model.Wiring.Reads;
import dev.apus.core.weight.WeightNames;
import java.util.ArrayList;
import java.util.List;

/**
 * Reformer: two residual streams, of which attention reads one and adds to the other, and a block
 * the other way round. Attention is to tokens of equal hashes, or to neighbouring chunks.
 */
final class Reformer implements ModelFamily {

  private static final String LAYER = "reformer.encoder.layers.{i}.";

  private static final String AXIS = "reformer.embeddings.position_embeddings.weights.";

  /** The stream that attention adds to; blocks add to the residual stream. */
  private static final String MIXED = "mixed";

  @Override
  public List<String> names() {
    return List.of("ReformerModelWithLMHead", "ReformerForMaskedLM", "ReformerModel", "reformer");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder.only(c, "tie_word_embeddings", false);
    int width = c.positive("hidden_size", 256);
    boolean decoder = c.flag("is_decoder", false);
    List<Part> mixers = ReformerAttention.parts(c, decoder);
    Part mlp =
        Decoder.mlp(
            c.positive("feed_forward_size", 512), Activations.of(c, "hidden_act", "relu"), true);
    NormSpec norm = NormSpec.layer(Decoder.epsilon(c, "layer_norm_eps", 1e-12), true);
    List<Layer> layers = new ArrayList<>();
    for (Part mixer : mixers) {
      String before = layers.isEmpty() ? Wiring.EMBEDDING : MIXED;
      Wiring into = Wiring.PLAIN.writing(MIXED);
      Branch kept = Branch.channel(Part.of("identity"), null).wired(into.reading(Reads.of(before)));
      layers.add(
          new Layer(
              List.of(
                  new Step(List.of(kept, Branch.mixer(mixer, norm).wired(into))),
                  new Step(
                      List.of(
                          Branch.channel(mlp, norm)
                              .wired(Wiring.PLAIN.reading(Reads.of(MIXED))))))));
    }
    c.ignore("axial_norm_std", "chunk_size_lm_head", "num_hidden_layers");
    c.ignore("local_attention_probs_dropout_prob", "lsh_attention_probs_dropout_prob");
    int context = c.positive("max_position_embeddings", 4096);
    Architecture whole =
        new Architecture(
                "reformer",
                c.positive("vocab_size", 320),
                width,
                context,
                embedding(c, width, context),
                layers,
                norm,
                new Head(false, hasBias(c), 1, 0))
            .withStream(MIXED, width)
            .endingWith(Reads.join(MIXED, Wiring.RESIDUAL));
    if (decoder) {
      return whole;
    }
    Architecture encoder = whole.bidirectional();
    return PostNormEncoder.isHeadless(c, names().subList(1, 4)) ? encoder.withoutHead() : encoder;
  }

  private static Embedding embedding(Config c, int width, int context) {
    if (!c.flag("axial_pos_embds", true)) {
      c.ignore("axial_pos_shape", "axial_pos_embds_dim");
      return new Embedding(1, context, null);
    }
    List<Integer> page = c.has("axial_pos_shape") ? c.integers("axial_pos_shape") : List.of(64, 64);
    List<Integer> widths =
        c.has("axial_pos_embds_dim") ? c.integers("axial_pos_embds_dim") : List.of(64, 192);
    boolean two = page.size() == 2 && widths.size() == 2;
    if (!two || widths.get(0) + widths.get(1) != width || widths.get(0) < 1 || widths.get(1) < 1) {
      throw c.errorAt(
          "axial_pos_embds_dim",
          "axial_pos_shape=%s and axial_pos_embds_dim=%s must be two each, and the latter must add"
              + " up to hidden_size=%d",
          page,
          widths,
          width);
    }
    long places = (long) page.get(0) * page.get(1);
    if (page.get(0) < 1 || page.get(1) < 1 || places > Integer.MAX_VALUE) {
      throw c.errorAt("axial_pos_shape", "axial_pos_shape=%s holds no positions", page);
    }
    return new Embedding(1, (int) Math.min(places, context), null)
        .axial(new Axes(page.get(0), page.get(1), widths.get(0)));
  }

  /** Whether the head adds its bias, which Transformers before 5 did and later ones do not. */
  private static boolean hasBias(Config c) {
    return !c.word("transformers_version", "").startsWith("5.");
  }

  @Override
  public WeightNames weights(Config c) {
    String attention = LAYER + "attention.";
    String block = LAYER + "feed_forward.";
    String embeddings = "reformer.embeddings.";
    WeightNames names =
        new WeightNames()
            .prefix("reformer.", "")
            .row("embedding", embeddings + "word_embeddings.weight")
            .row("positions", embeddings + "position_embeddings.embedding.weight")
            .row("positions.line", AXIS + "0")
            .row("positions.column", AXIS + "1")
            .row("mixer.norm", attention + "layer_norm.weight")
            .row("mixer.norm.bias", attention + "layer_norm.bias")
            .row("channel.norm", block + "layer_norm.weight")
            .row("channel.norm.bias", block + "layer_norm.bias")
            .row("mlp.up", block + "dense.dense.weight")
            .row("mlp.down", block + "output.dense.weight")
            .row("norm", "reformer.encoder.layer_norm.weight")
            .row("norm.bias", "reformer.encoder.layer_norm.bias")
            .row("head", "lm_head.decoder.weight")
            .row("head.bias", "lm_head.decoder.bias")
            .row("head.bias", "lm_head.bias")
            .ignore(hasBias(c) ? "lm_head\\.decoder\\.bias" : "lm_head\\.(decoder\\.)?bias");
    if (c.has("axial_pos_shape") && c.has("axial_pos_embds_dim")) {
      List<Integer> page = c.integers("axial_pos_shape");
      List<Integer> widths = c.integers("axial_pos_embds_dim");
      names.shaped(AXIS + "0", page.get(0), 1, widths.get(0));
      names.shaped(AXIS + "1", 1, page.get(1), widths.get(1));
    }
    return ReformerAttention.names(names, attention, c);
  }
}
