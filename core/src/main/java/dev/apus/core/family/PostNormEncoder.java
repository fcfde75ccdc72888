package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.model.Transform;
import dev.apus.core.weight.WeightNames;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * What BERT and the encoders after it have in common: words, positions and kinds of tokens are
 * added and normalised, each sum of a layer is normalised, and a masked word is found by a head of
 * one layer over the embedding.
 */
final class PostNormEncoder {

  final Config c;
  final Decoder shape;
  final NormSpec norm;
  private final String activation;

  PostNormEncoder(Config c, Decoder shape, double epsilon) {
    this(c, shape, epsilon, "gelu");
  }

  /**
   * @param absent the activation where the config names none
   */
  PostNormEncoder(Config c, Decoder shape, double epsilon, String absent) {
    this.c = c;
    this.shape = shape;
    this.norm = NormSpec.layer(Decoder.epsilon(c, "layer_norm_eps", epsilon), true);
    this.activation = Activations.of(c, "hidden_act", absent);
    c.ignore("attention_probs_dropout_prob", "directionality", "pooler_fc_size", "pooler_type");
    c.ignore("pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head");
    Decoder.only(c, "is_decoder", false);
    if (!c.word("position_embedding_type", "absolute").equals("absolute")) {
      throw c.errorAt(
          "position_embedding_type",
          "position_embedding_type=\"%s\" is not supported; supported: absolute",
          c.word("position_embedding_type"));
    }
  }

  /** Learned positions, kinds of tokens, and a norm. */
  Embedding embedding(int types) {
    return embedding(1, types);
  }

  /** The same where words are scaled. */
  Embedding embedding(float scale, int types) {
    return new Embedding(scale, shape.context, norm).withTypes(c.count("type_vocab_size", types));
  }

  /** A mixer and a block without a gate, each added and normalised. */
  Layer layer(Part mixer) {
    Part mlp = Decoder.mlp(c.positive("intermediate_size"), activation, true);
    return new Layer(List.of(step(Branch.mixer(mixer, null)), step(Branch.channel(mlp, null))));
  }

  private Step step(Branch branch) {
    return new Step(List.of(branch)).summing(norm);
  }

  /**
   * The document.
   *
   * @param names of the family's classes
   */
  Architecture architecture(
      String family, List<String> names, Embedding embedding, IntFunction<Layer> layer) {
    return architecture(family, names, embedding, layer, activation);
  }

  /** The same where the head has an activation of its own. */
  Architecture architecture(
      String family,
      List<String> names,
      Embedding embedding,
      IntFunction<Layer> layer,
      String headActivation) {
    Head head =
        Head.masked(
            c.flag("tie_word_embeddings", true), true, new Transform(headActivation, true, norm));
    List<Layer> layers = new ArrayList<>();
    for (int i = 0; i < shape.layers; i++) {
      layers.add(layer.apply(i));
    }
    Architecture whole =
        new Architecture(
                family,
                c.positive("vocab_size"),
                shape.width,
                shape.context,
                embedding,
                layers,
                null,
                head)
            .bidirectional();
    return isHeadless(c, names) ? whole.withoutHead() : whole;
  }

  /**
   * Whether a checkpoint is of the class without the head for masked words, {@code …Model}.
   *
   * @throws dev.apus.core.config.ConfigException if it is of a class with another head
   */
  static boolean isHeadless(Config c, List<String> names) {
    if (!c.has("architectures")) {
      return false;
    }
    List<String> classes = c.words("architectures");
    List<String> known = names.stream().filter(classes::contains).toList();
    if (known.isEmpty()) {
      throw c.errorAt(
          "architectures",
          "architectures=%s: this head is not supported; supported: %s",
          classes,
          String.join(", ", names.subList(0, names.size() - 1)));
    }
    return known.getFirst().endsWith("Model");
  }

  /**
   * The names of everything but the mixers' own weights.
   *
   * @param prefix of all but the head, such as {@code bert.}
   * @param mixer where a layer has the norm of its mixer's sum
   */
  static WeightNames names(String prefix, String mixer) {
    WeightNames names = layers(prefix, mixer);
    names
        .row("head", "cls.predictions.decoder.weight")
        .row("head.transform", "cls.predictions.transform.dense.weight")
        .ignore("cls\\.seq_relationship\\..*|cls\\.predictions\\.decoder\\.bias");
    biases(names, "cls.predictions.");
    return norm(names, "head.norm", "cls.predictions.transform.");
  }

  /**
   * The same where the head is called otherwise.
   *
   * @param head such as {@code lm_head.}
   */
  static WeightNames names(String prefix, String mixer, String head) {
    WeightNames names =
        layers(prefix, mixer)
            .row("head", head + "decoder.weight")
            .row("head.transform", head + "dense.weight")
            .row("head.norm", head + "layer_norm.weight")
            .row("head.norm.bias", head + "layer_norm.bias")
            .ignore(head.replace(".", "\\.") + "decoder\\.bias");
    return biases(names, head);
  }

  /** The logits' biases, where the embedding serves as the head, too. */
  private static WeightNames biases(WeightNames names, String head) {
    for (String ours : List.of("embedding.bias", "head.bias")) {
      names.row(ours, head + "decoder.bias").row(ours, head + "bias");
    }
    return names;
  }

  private static WeightNames layers(String prefix, String mixer) {
    String embeddings = prefix + "embeddings.";
    String layer = layer(prefix);
    WeightNames names =
        new WeightNames()
            .prefix(prefix, "")
            .row("embedding", embeddings + "word_embeddings.weight")
            .row("positions", embeddings + "position_embeddings.weight")
            .row("types", embeddings + "token_type_embeddings.weight")
            .row("mlp.up", layer + "intermediate.dense.weight")
            .row("mlp.down", layer + "output.dense.weight")
            .ignore("(.*\\.)?embeddings\\.(position|token_type)_ids")
            .ignore("(.*\\.)?pooler\\..*");
    norm(names, "embedding.norm", embeddings);
    norm(names, "mixer.sum", layer + mixer);
    return norm(names, "channel.sum", layer + "output.");
  }

  static String layer(String prefix) {
    return prefix + "encoder.layer.{i}.";
  }

  /** Queries, keys, values and the output of attention. */
  static WeightNames attention(WeightNames names, String part, String prefix) {
    String attention = layer(prefix) + "attention.";
    return names
        .row(part + ".q", attention + "self.query.weight")
        .row(part + ".k", attention + "self.key.weight")
        .row(part + ".v", attention + "self.value.weight")
        .row(part + ".o", attention + "output.dense.weight");
  }

  /** A norm, whose factors and offsets the oldest files call gamma and beta. */
  private static WeightNames norm(WeightNames names, String ours, String place) {
    return names
        .row(ours, place + "LayerNorm.gamma")
        .row(ours, place + "LayerNorm.weight")
        .row(ours + ".bias", place + "LayerNorm.beta")
        .row(ours + ".bias", place + "LayerNorm.bias");
  }
}
