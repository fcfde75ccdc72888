package dev.apus.models;

import dev.apus.core.Session;
import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.family.Families;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Mixers;
import dev.apus.core.model.ModelAssembler;
import dev.apus.core.model.Network;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceState;
import dev.apus.core.model.Visibility;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.WeightSource;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** One small model of every family, with weights from a seed. */
final class TinyModels {

  static final List<String> FAMILIES =
      List.of(
          "afmoe",
          "bamba",
          "bloom",
          "cohere2",
          "dbrx",
          "deepseek_v2",
          "deepseek_v2-lite",
          "deepseek_v3",
          "diffllama",
          "doge",
          "doge-moe",
          "deepseek_v4",
          "dots1",
          "ernie4_5_moe",
          "deepseek_v32",
          "exaone4",
          "falcon",
          "falcon_h1",
          "falcon_mamba",
          "fla-comba",
          "fla-bitnet",
          "fla-delta_net",
          "fla-forgetting_transformer",
          "fla-gated_deltanet",
          "fla-gated_deltaproduct",
          "fla-hgrn",
          "fla-hgrn-conv",
          "fla-kda",
          "fla-path_attn",
          "fla-log_linear_mamba2",
          "fla-mesa_net",
          "fla-moba",
          "fla-mom",
          "fla-nsa",
          "fla-rwkv6",
          "fla-rwkv7",
          "fla-abc",
          "fla-gla",
          "fla-gla-variant",
          "fla-gla-hybrid-swa",
          "fla-gsa",
          "fla-gsa-variant",
          "fla-hgrn2",
          "fla-lightnet",
          "fla-linear_attn",
          "fla-linear_attn-elu",
          "fla-linear_attn-hedgehog",
          "fla-retnet",
          "flex_olmo",
          "gemma2",
          "gemma3",
          "gemma4",
          "gemma4-moe",
          "gemma4-shared",
          "glm4",
          "glm4_moe",
          "glm_moe_dsa-shared",
          "gpt2",
          "gpt_neox",
          "gpt_oss",
          "granite",
          "granitemoe",
          "granitemoeshared",
          "granite4-dense",
          "granitemoehybrid",
          "helium",
          "hunyuan_v1_moe",
          "lfm2",
          "lfm2_moe",
          "kimi_linear",
          "jamba",
          "jetmoe",
          "llama",
          "llama-linear-rope-mqa",
          "llama-yarn",
          "llama3-rope",
          "llama4",
          "longcat_flash",
          "mamba",
          "mamba-original",
          "mamba2",
          "mamba2-original",
          "minicpm3",
          "minimax",
          "minimax_m2",
          "ministral",
          "mistral",
          "mixtral",
          "nanochat",
          "nemotron",
          "nemotron_h",
          "olmo2",
          "olmo3",
          "olmo_hybrid",
          "olmoe",
          "phi3",
          "phimoe",
          "qwen2",
          "qwen2_moe",
          "qwen3",
          "qwen3_5",
          "qwen3_5_moe",
          "qwen3_moe",
          "qwen3_next",
          "recurrent_gemma",
          "rwkv4",
          "rwkv5",
          "rwkv6",
          "rwkv6qwen2",
          "rwkv7-original",
          "smollm3",
          "stablelm",
          "starcoder2",
          "transnormer",
          "ttt-linear",
          "ttt-mlp",
          "xlstm",
          "xlstm-fused",
          "zamba",
          "zamba2",
          "zaya");

  /** Families that continue texts, and to which it shows where the first run of a text ends. */
  static final List<String> WHOLE_FAMILIES = List.of("reformer");

  /** Documents of such models, written by hand. */
  static final List<String> WHOLE_DOCUMENTS = List.of("routing-transformer");

  /** All models to which that shows. */
  static final List<String> WHOLE =
      Stream.concat(WHOLE_FAMILIES.stream(), WHOLE_DOCUMENTS.stream()).toList();

  /** Documents written by hand, of what no published checkpoint has. */
  static final List<String> DOCUMENTS =
      List.of(
          "based",
          "cosformer",
          "dss",
          "gated-delta-net-2",
          "h3",
          "hash-layers",
          "hyena",
          "hymba",
          "liger",
          "llamba",
          "lolcats",
          "longhorn",
          "mamba3",
          "mingru",
          "minlstm",
          "mixture-of-depths",
          "moe-plus-plus",
          "peer",
          "performer",
          "random-feature-attention",
          "rebased",
          "remoe",
          "s4",
          "s4d",
          "s5",
          "samba",
          "simple-gla",
          "titans-mac",
          "titans-mag",
          "titans-mal",
          "top-p-moe",
          "xlstm-3-1",
          "yoco");

  /** All of them that continue texts. */
  static final List<String> MODELS = Stream.concat(FAMILIES.stream(), DOCUMENTS.stream()).toList();

  /** Families that read whole texts. */
  static final List<String> ENCODER_FAMILIES =
      List.of(
          "bert",
          "big_bird",
          "fnet",
          "fnet-padded",
          "longformer",
          "modernbert",
          "nystromformer",
          "nystromformer-each",
          "reformer-masked");

  /** Documents of such models, written by hand. */
  static final List<String> ENCODER_DOCUMENTS = List.of("expert-choice", "linformer", "soft-moe");

  /** All models that read whole texts. */
  static final List<String> ENCODERS =
      Stream.concat(ENCODER_FAMILIES.stream(), ENCODER_DOCUMENTS.stream()).toList();

  /** Families that fill texts in. */
  static final List<String> DIFFUSION_FAMILIES =
      List.of(
          "bd3lm",
          "diffusion_gemma",
          "dream",
          "fast_dllm_v2",
          "llada",
          "llada2_moe",
          "lladamoe",
          "mdlm",
          "plaid",
          "sdar",
          "sdar_moe",
          "sedd",
          "sedd-uniform");

  /** All that were published. */
  static final List<String> ALL_FAMILIES =
      Stream.of(FAMILIES, WHOLE_FAMILIES, ENCODER_FAMILIES, DIFFUSION_FAMILIES)
          .flatMap(List::stream)
          .toList();

  /** Models of all kinds. */
  static final List<String> ALL =
      Stream.of(MODELS, WHOLE, ENCODERS, DIFFUSION_FAMILIES).flatMap(List::stream).toList();

  static final int LIMIT = 160;

  static final Path DOCUMENT_FOLDER = Path.of("../docs/architectures");

  private TinyModels() {}

  /** The config of a family's small checkpoint. */
  static Config config(String family) {
    return Config.parse(family + ".json", resource("/configs/" + family + ".json"));
  }

  static Architecture architecture(String model) {
    return Stream.of(DOCUMENTS, WHOLE_DOCUMENTS, ENCODER_DOCUMENTS).anyMatch(d -> d.contains(model))
        ? Architecture.read(Config.read(DOCUMENT_FOLDER.resolve(model + ".json")))
        : Families.installed().describe(config(model));
  }

  /** A small model whose keys are turned by the limit of their session, if that is above 512. */
  static Architecture dependentOnLimit() {
    String json = new String(resource("/configs/llama.json"), StandardCharsets.UTF_8);
    String dynamic = json.replace("\"default\"", "\"dynamic\", \"factor\": 3.0");
    return Families.installed()
        .describe(Config.parse("dynamic.json", dynamic.getBytes(StandardCharsets.UTF_8)));
  }

  static byte[] resource(String name) {
    try (InputStream in = TinyModels.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the resource " + name + " is not there");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A network, and what one caller needs to run it. */
  record Tiny(Network network, Pass pass, Workers workers, Arena arena) implements AutoCloseable {

    SequenceState state() {
      return network.newState(LIMIT);
    }

    /** The logits after each of the tokens {@code [from, to)}, which follow those before. */
    float[][] run(SequenceState state, int[] tokens, int from, int to) {
      return run(List.of(state), List.of(Arrays.copyOfRange(tokens, from, to))).getFirst();
    }

    /** The logits after each token of several sequences, computed in one call. */
    List<float[][]> run(List<SequenceState> states, List<int[]> tokens) {
      return run(states, tokens, () -> false);
    }

    List<float[][]> run(List<SequenceState> states, List<int[]> tokens, BooleanSupplier cancelled) {
      Architecture architecture = network.architecture();
      int canvas = architecture.hasCanvases() ? architecture.diffusion().block() : 0;
      if (canvas > 0 && tokens.getFirst().length > canvas) {
        return List.<float[][]>of(
            TinyCanvas.logits(this, states.getFirst(), tokens.getFirst(), canvas));
      }
      if (TinyVectors.FAMILIES.contains(architecture.family())) {
        return List.<float[][]>of(TinyVectors.logits(this, states.getFirst(), tokens.getFirst()));
      }
      List<Run<SequenceState>> runs = new ArrayList<>();
      int rows = 0;
      for (int i = 0; i < states.size(); i++) {
        int length = tokens.get(i).length;
        int position = states.get(i).length();
        Visibility visibility = architecture.visibility();
        int block = architecture.diffusion() == null ? 0 : architecture.diffusion().block();
        int most = block == 0 ? length : block;
        for (int from = 0; from < length; from += most) {
          int to = Math.min(length, from + most);
          var run = new Run<>(states.get(i), rows + from, rows + to, position + from, visibility);
          runs.add(network.seesGlobalTokens() ? run.withGlobal(0, length / 2) : run);
        }
        rows += length;
      }
      int[] all = tokens.stream().flatMapToInt(Arrays::stream).toArray();
      int[] wanted = new int[rows];
      Arrays.setAll(wanted, i -> i);
      Matrix logits = Matrix.zeros(rows, architecture.vocabulary());
      if (architecture.isEncoder()) {
        Matrix encoded = Matrix.zeros(rows, architecture.endWidth());
        network.encode(pass, new Batch<>(runs), all, null, encoded, cancelled);
        network.predict(pass, encoded, logits);
      } else {
        network.forward(pass, new Batch<>(runs), all, wanted, logits, cancelled);
      }
      List<float[][]> result = new ArrayList<>();
      int row = 0;
      for (int[] some : tokens) {
        float[][] part = new float[some.length][];
        for (int i = 0; i < part.length; i++, row++) {
          part[i] = Arrays.copyOfRange(logits.data(), logits.at(row), logits.at(row + 1));
        }
        result.add(part);
      }
      return result;
    }

    @Override
    public void close() {
      arena.close();
      workers.close();
    }
  }

  static Tiny of(String family) {
    return of(architecture(family), Kernels.chosen(), 2);
  }

  static Tiny of(Architecture architecture, Kernels kernels, int threads) {
    return of(architecture, new RandomWeights(7, WeightFormat.F32), kernels, threads);
  }

  static Tiny of(Architecture architecture, WeightSource source, Kernels kernels, int threads) {
    Workers workers = Workers.of(threads);
    Arena arena = Arena.ofShared();
    Weights weights = new Weights(source, kernels, workers, arena);
    Network network =
        ModelAssembler.assemble(architecture, Mixers.installed(), CacheFormat.F32, weights);
    return new Tiny(network, new Pass(workers, kernels), workers, arena);
  }

  /** Tokens that look like nothing in particular. */
  static int[] tokens(int count, long seed) {
    var random = new SplittableRandom(seed);
    return random.ints(count, 0, 192).toArray();
  }

  /** The logits after each of five more tokens. */
  static float[][] continued(Session session) {
    float[][] logits = new float[5][];
    for (int i = 0; i < logits.length; i++) {
      session.append(7 * i + 1);
      logits[i] = session.logits();
    }
    return logits;
  }
}
