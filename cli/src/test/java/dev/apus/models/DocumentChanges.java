package dev.apus.models;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** An architecture document with one number changed, for every number that shapes no weight. */
final class DocumentChanges {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Numbers whose change asks for weights of another shape, or that other tests are about. */
  private static final Set<String> SHAPES =
      Set.of(
          "vocabulary",
          "width",
          "context",
          "repeat",
          "heads",
          "kvHeads",
          "headDim",
          "valueDim",
          "ownDim",
          "sharedDim",
          "queryLatent",
          "inner",
          "experts",
          "groups",
          "topGroups",
          "latent",
          "zeroExperts",
          "hidden",
          "sharedInner",
          "keyHeads",
          "valueHeads",
          "keyDim",
          "stateSize",
          "dtRank",
          "taps",
          "decayLatent",
          "gateLatent",
          "headTaps",
          "order",
          "features",
          "filterWidth",
          "filterLayers",
          "angles",
          "copies",
          "blocks",
          "positions",
          "frequencies",
          "units",
          "least",
          "most",
          "lines",
          "columns",
          "lineWidth",
          "mask",
          "metaTokens",
          "skipped",
          "types",
          "pinned",
          "adapter",
          "rows",
          "keys",
          "group",
          "limit",
          "rate",
          "outGroups",
          "outLatent",
          "streams",
          "weightsOf",
          "stateOf",
          "choiceOf");

  private DocumentChanges() {}

  /** The changed documents by the place of what was changed. */
  static Map<String, Architecture> of(Architecture architecture) {
    try {
      Map<String, Architecture> changes = new LinkedHashMap<>();
      collect(JSON.readTree(architecture.toJson()), "", architecture, changes);
      return changes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void collect(
      JsonNode node, String path, Architecture architecture, Map<String, Architecture> changes)
      throws IOException {
    if (node.isArray()) {
      for (int i = 0; i < node.size(); i++) {
        collect(node.get(i), path + "/" + i, architecture, changes);
      }
    }
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      String at = path + "/" + field.getKey();
      boolean map = field.getKey().equals("features") && field.getValue().isObject();
      if (SHAPES.contains(field.getKey()) && !map) {
        continue;
      }
      if (!field.getValue().isNumber()) {
        collect(field.getValue(), at, architecture, changes);
      } else {
        changes.put(at, changed(architecture, path, field.getKey(), field.getValue()));
      }
    }
  }

  private static Architecture changed(
      Architecture architecture, String path, String key, JsonNode value) throws IOException {
    JsonNode document = JSON.readTree(architecture.toJson());
    ObjectNode parent = (ObjectNode) document.at(JsonPointer.compile(path));
    switch (key) {
      case "window" -> parent.put(key, value.intValue() == 0 ? 5 : value.intValue() - 1);
      case "block" -> parent.put(key, value.intValue() == 0 ? 5 : value.intValue() / 2);
      case "keep" -> parent.put(key, value.intValue() - 1);
      case "top" -> parent.put(key, value.intValue() == 1 ? 2 : value.intValue() - 1);
      case "dims" -> parent.put(key, value.intValue() - 2);
      case "original" -> parent.put(key, value.intValue() * 8);
      case "length" -> parent.put(key, value.intValue() / 4);
      case "before", "after", "rounds", "seed" -> parent.put(key, value.intValue() + 1);
      case "chunk", "size" -> parent.put(key, value.intValue() * 2);
      case "multiple" -> parent.put(key, value.intValue() * 3);
      case "betaFast" -> parent.put(key, 2);
      case "iterations" -> parent.put(key, 1);
      case "epsilon" -> parent.put(key, 0.01);
      case "softcap" -> parent.put(key, value.doubleValue() == 0 ? 2 : value.doubleValue() / 4);
      default -> parent.put(key, value.doubleValue() * 1.25 + 0.01);
    }
    return Architecture.read(Config.parse(key, JSON.writeValueAsBytes(document)));
  }
}
