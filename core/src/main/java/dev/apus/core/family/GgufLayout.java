package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.GgufWriter;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * How a GGUF file says what a model is: the metadata, with the tensors that belong to it, and the
 * names of the weights. Reading it gives the same model.
 *
 * @param writer a file with the metadata and without weights
 */
public record GgufLayout(GgufWriter writer, WeightNames names) {

  private static final String FACTORS = "rope_freqs.weight";
  private static final List<String> FALSE_IF_ABSENT = List.of("biased", "outBiased");

  /**
   * The layout of the first kind of files that can say what the model is.
   *
   * @throws ConfigException if there is none
   */
  static GgufLayout of(Architecture model, Map<String, GgufFamily> known, Families families) {
    if (!model.isEncoder() && GgufMetadata.fits(model)) {
      for (Map.Entry<String, GgufFamily> kind : known.entrySet()) {
        GgufLayout layout = layout(model, kind.getKey(), kind.getValue(), families);
        if (layout != null) {
          return layout;
        }
      }
    }
    throw new ConfigException(
        String.format(
            Locale.ROOT,
            "no kind of GGUF file that is known (%s) can say what a model of the family %s is;"
                + " write a folder instead",
            String.join(", ", new TreeSet<>(known.keySet())),
            model.family()));
  }

  private static GgufLayout layout(
      Architecture model, String name, GgufFamily family, Families families) {
    GgufWriter written = new GgufWriter();
    GgufWriter probe = new GgufWriter();
    if (!described(model, name, family, written) || !described(model, name, family, probe)) {
      return null;
    }
    outline(model, probe);
    try {
      Gguf read = probe.preview(name);
      Config config = family.config(read);
      Architecture again = families.describe(config);
      return plain(again).equals(plain(model))
          ? new GgufLayout(written, family.weights(config))
          : null;
    } catch (ConfigException e) {
      return null;
    }
  }

  private static boolean described(
      Architecture model, String name, GgufFamily family, GgufWriter writer) {
    GgufMetadata metadata = new GgufMetadata(model, name, writer).decoder();
    if (!family.describe(model, metadata)) {
      return false;
    }
    float[] factors = metadata.factors();
    if (factors.length > 0) {
      ByteBuffer data = ByteBuffer.allocateDirect(4 * factors.length);
      data.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(factors);
      writer.add(FACTORS, "F32", List.of((long) factors.length), MemorySegment.ofBuffer(data));
    }
    return true;
  }

  /** The tensors that readers of metadata look for. */
  private static void outline(Architecture model, GgufWriter probe) {
    List<Long> vocabulary = List.of((long) model.vocabulary(), (long) model.width());
    made(probe, "token_embd.weight", vocabulary);
    if (!model.head().tied()) {
      made(probe, "output.weight", vocabulary);
    }
    for (int layer = 0; layer < model.layers().size(); layer++) {
      if (GgufMetadata.channel(model, layer).type().equals("moe")) {
        made(probe, "blk." + layer + ".ffn_gate_inp.weight", List.of(1L));
      }
    }
    Part attention = GgufMetadata.firstOf(model, "attention");
    if (isTrue(attention, "biased")) {
      made(probe, "blk.0.attn_q.bias", List.of(1L));
    }
    mamba2(GgufMetadata.firstOf(model, "mamba2"), probe);
    boolean biased =
        model.layers().getFirst().steps().stream()
            .flatMap(step -> step.branches().stream())
            .anyMatch(
                branch ->
                    branch.role() == Architecture.Role.CHANNEL
                        && Boolean.TRUE.equals(branch.part().settings().get("biased")));
    if (biased) {
      made(probe, "blk.0.ffn_up.bias", List.of(1L));
    }
  }

  private static void mamba2(Part part, GgufWriter probe) {
    if (isTrue(part, "convBiased")) {
      made(probe, "blk.0.ssm_conv1d.bias", List.of(1L));
    }
    if (isTrue(part, "biased")) {
      made(probe, "blk.0.ssm_in.bias", List.of(1L));
    }
    if (isTrue(part, "outBiased")) {
      made(probe, "blk.0.ssm_out.bias", List.of(1L));
    }
    if (part.settings().containsKey("norm")) {
      made(probe, "blk.0.ssm_norm.weight", List.of(1L));
    }
  }

  private static boolean isTrue(Part part, String setting) {
    return Boolean.TRUE.equals(part.settings().get(setting));
  }

  private static void made(GgufWriter writer, String name, List<Long> shape) {
    writer.add(
        name,
        "F32",
        shape,
        out -> {
          throw new IllegalStateException("an outline is not written");
        });
  }

  /**
   * The model without its name, with settings left out that say what is so anyway, and with Llama
   * 3's rule as the factors it gives.
   */
  private static Architecture plain(Architecture a) {
    float[] factors = new GgufMetadata(a, "", new GgufWriter()).factors();
    List<Layer> layers =
        a.layers().stream()
            .map(
                layer ->
                    new Layer(
                        layer.steps().stream()
                            .map(
                                step ->
                                    step.with(
                                        step.branches().stream()
                                            .map(branch -> plain(branch, factors))
                                            .toList()))
                            .toList()))
            .toList();
    return new Architecture(
        "",
        a.vocabulary(),
        a.width(),
        a.context(),
        a.visibility(),
        a.embedding(),
        a.streams(),
        a.hyper(),
        layers,
        a.ends(),
        a.norm(),
        a.head(),
        a.diffusion());
  }

  private static boolean isFalse(Object value) {
    return Boolean.FALSE.equals(value);
  }

  private static Branch plain(Branch branch, float[] factors) {
    Map<String, Object> settings = new LinkedHashMap<>(branch.part().settings());
    settings.keySet().removeIf(key -> FALSE_IF_ABSENT.contains(key) && isFalse(settings.get(key)));
    if (factors.length > 0 && settings.get("rope") instanceof Map<?, ?> rope) {
      Map<String, Object> divided = new LinkedHashMap<>();
      divided.put("theta", rope.get("theta"));
      divided.put("dims", rope.get("dims"));
      divided.put("type", "factors");
      List<Double> list = new ArrayList<>();
      for (float factor : factors) {
        list.add((double) factor);
      }
      divided.put("factors", list);
      settings.put("rope", divided);
    }
    return branch.with(new Part(branch.part().type(), settings));
  }
}
