package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.Gguf;
import dev.apus.core.json.Printable;
import dev.apus.core.model.Architecture;
import dev.apus.core.service.Services;
import dev.apus.core.weight.WeightList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/** The families of checkpoints that can be opened. */
public final class Families {

  private static final List<ModelFamily> BUILT_IN =
      List.of(
          new Afmoe(),
          new Bamba(),
          new Bert(),
          new BigBird(),
          new Bloom(),
          new Cohere(),
          new Cohere2(),
          new Dbrx(),
          new DeepSeek(),
          new DiffLlama(),
          new Doge(),
          new DeepSeekV4(),
          new DiffusionGemma(),
          new Dots1(),
          new Ernie(),
          new DeepSeekSparse(),
          new Exaone4(),
          new Falcon(),
          new FalconH1(),
          new FlaCoupled(),
          new FlaAttention(),
          new FlaDelta(),
          new FlaPath(),
          new FlexOlmo(),
          new FNet(),
          new FlaGated(),
          new FlaHgrn(),
          new FlaLinearAttention(),
          new FlaLogLinearMamba2(),
          new FlaMesaNet(),
          new FlaMom(),
          new FlaRwkv6(),
          new FlaRwkv7(),
          new FlaSlots(),
          new FlaSparse(),
          new Gemma(),
          new Gemma4(),
          new Glm(),
          new Glm4(),
          new Glm4Moe(),
          new Gpt2(),
          new GptNeoX(),
          new GptOss(),
          new Granite(),
          new GraniteHybrid(),
          new Helium(),
          new HunYuanMoe(),
          new Jamba(),
          new JetMoe(),
          new KimiLinear(),
          new Lfm2(),
          new Llada(),
          new Llada2(),
          new LladaMoe(),
          new Llama(),
          new Llama4(),
          new LongCatFlash(),
          new Longformer(),
          new Mamba(),
          new Mamba2(),
          new Mdlm(),
          new MiniCpm3(),
          new MiniMax(),
          new MiniMaxM2(),
          new Mistral(),
          new Mixtral(),
          new ModernBert(),
          new NanoChat(),
          new Nemotron(),
          new NemotronH(),
          new Nystromformer(),
          new Olmo(),
          new OlmoHybrid(),
          new Olmoe(),
          new OriginalMamba(),
          new OriginalRwkv7(),
          new Phi3(),
          new PhiMoe(),
          new Plaid(),
          new Qwen(),
          new QwenDiffusion(),
          new QwenHybrid(),
          new RecurrentGemma(),
          new Reformer(),
          new Rwkv(),
          new Rwkv4(),
          new Rwkv6Qwen2(),
          new Sedd(),
          new SmolLm3(),
          new StableLm(),
          new Starcoder2(),
          new TransNormer(),
          new Ttt(),
          new Xlstm(),
          new Zamba(),
          new Zamba2(),
          new Zaya());

  /** Model types that are known by name, should their configs not say what they are. */
  private static final List<String> ENCODER_DECODERS =
      List.of("switch_transformers", "t5", "mt5", "umt5", "longt5", "nllb-moe", "led", "bart");

  private static final String GGUF_KEY = "general.architecture";

  private final Map<String, ModelFamily> families = new LinkedHashMap<>();
  private final Map<String, GgufFamily> ggufFamilies = new LinkedHashMap<>();

  private Families(List<ModelFamily> families) {
    for (ModelFamily family : families) {
      family.names().forEach(name -> add(this.families, name, family));
      for (GgufFamily gguf : family.gguf()) {
        gguf.architectures().forEach(name -> add(ggufFamilies, name, gguf));
      }
    }
  }

  private static <F> void add(Map<String, F> families, String name, F family) {
    if (families.putIfAbsent(name, family) != null) {
      throw new IllegalStateException("two families are called \"" + name + "\"");
    }
  }

  /** The families that come with Apus and those that modules on the path provide. */
  public static Families installed() {
    List<ModelFamily> all = new ArrayList<>(BUILT_IN);
    all.addAll(Services.of(ModelFamily.class));
    return new Families(all);
  }

  /** Every name that is known, in alphabetical order. */
  public List<String> names() {
    return List.copyOf(new TreeSet<>(families.keySet()));
  }

  /** The names that are model types: without the classes, which say the same at greater length. */
  private List<String> modelTypes() {
    return names().stream().filter(name -> name.equals(name.toLowerCase(Locale.ROOT))).toList();
  }

  /**
   * The family of a config: by its {@code architectures}, then by its {@code model_type}, because
   * families share types; a config without either may be recognised by its settings.
   *
   * @throws ConfigException naming what is known, if it is none of these
   */
  public ModelFamily of(Config config) {
    List<String> names = new ArrayList<>();
    if (config.has("architectures")) {
      names.addAll(config.words("architectures"));
    }
    if (config.has("model_type")) {
      names.add(config.word("model_type"));
    }
    for (String name : names) {
      ModelFamily family = families.get(name);
      if (family != null) {
        return family;
      }
    }
    if (names.isEmpty()) {
      for (ModelFamily family : new LinkedHashSet<>(families.values())) {
        if (family.recognizes(config)) {
          return family;
        }
      }
    }
    if (config.flag("is_encoder_decoder", false)
        || names.stream().anyMatch(ENCODER_DECODERS::contains)) {
      throw config.errorAt(
          config.has("model_type") ? "model_type" : "architectures",
          "%s is an encoder–decoder, whose decoder attends to another text; supported are encoders"
              + " alone and decoders alone",
          String.join(", ", names));
    }
    throw config.error(
        "architectures and model_type name %s; supported model types are %s",
        names.isEmpty() ? "nothing" : names, String.join(", ", modelTypes()));
  }

  /**
   * The family of a GGUF file, by its {@code general.architecture}.
   *
   * @throws ConfigException naming what is known, if it is none of these
   */
  public GgufFamily of(Gguf file) {
    Object name = file.metadata().get(GGUF_KEY);
    GgufFamily family = name instanceof String known ? ggufFamilies.get(known) : null;
    if (family == null) {
      throw new ConfigException(
          String.format(
              Locale.ROOT,
              "%s: %s %s; supported: %s",
              file.name(),
              GGUF_KEY,
              name == null ? "is missing" : "= " + Printable.value(name) + " is not supported",
              String.join(", ", new TreeSet<>(ggufFamilies.keySet()))));
    }
    return family;
  }

  /**
   * How a GGUF file says what a model is, in the words of the first kind of file that can.
   *
   * @param weights what the model asks for
   * @throws ConfigException if none can
   */
  public GgufLayout gguf(Architecture model, WeightList weights) {
    return new GgufKinds(ggufFamilies, this).of(model, weights);
  }

  /**
   * What a config describes; every one of its settings must have been understood.
   *
   * @throws ConfigException naming the first setting that was not
   */
  public Architecture describe(Config config) {
    ModelFamily family = of(config);
    if (config.has("quantization_config")) {
      String method =
          config.section("quantization_config").word("quant_method", "an unnamed method");
      if (!family.quantizations().contains(method)) {
        throw config.errorAt(
            "quantization_config",
            "the checkpoint is quantised with %s, which is not supported; convert it to safetensors"
                + " in BF16 or to GGUF first",
            method);
      }
    }
    Architecture architecture = family.describe(config);
    Harmless.ignore(config);
    List<String> unread = config.unread();
    if (!unread.isEmpty()) {
      throw config.errorAt(
          unread.getFirst(),
          "%s is a setting that the family %s does not know; it may change what is computed",
          unread.getFirst(),
          architecture.family());
    }
    return architecture;
  }
}
