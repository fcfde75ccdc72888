package dev.apus.core.file;

import dev.apus.core.json.JsonFault;
import dev.apus.core.json.JsonObject;
import dev.apus.core.json.JsonObject.Member;
import dev.apus.core.json.JsonTree;
import dev.apus.core.json.Printable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A folder that holds a checkpoint as one safetensors file or as several with an index.
 *
 * <p>The index is not trusted: what it names must be a sibling, and it must agree with the files on
 * every tensor.
 */
final class SafetensorsFolder {

  private static final long LARGEST_INDEX = 32 << 20;

  private final Path folder;
  private final Place index = Place.file(Safetensors.INDEX);

  private SafetensorsFolder(Path folder) {
    this.folder = folder;
  }

  static TensorFile open(Path folder) {
    if (Files.exists(folder.resolve(Safetensors.SINGLE))) {
      return Safetensors.open(folder.resolve(Safetensors.SINGLE));
    }
    if (Files.exists(folder.resolve(Safetensors.INDEX))) {
      return new SafetensorsFolder(folder).openShards();
    }
    String name = Printable.fileName(folder);
    if (!Files.isDirectory(folder)) {
      throw Place.file(name).error("is no folder; needed: the folder of a checkpoint");
    }
    throw Place.file(name)
        .error(
            "holds neither %s nor %s; looked in %s", Safetensors.SINGLE, Safetensors.INDEX, folder);
  }

  private TensorFile openShards() {
    JsonObject document = readIndex();
    Map<String, String> places = weightMap(document);
    Set<String> names = new LinkedHashSet<>(places.values());
    Map<String, Path> files = new LinkedHashMap<>();
    names.forEach(name -> files.put(name, sibling(name)));
    List<MappedTensors> shards = new ArrayList<>();
    try {
      files.values().forEach(file -> shards.add(Safetensors.open(file).mapped()));
      var joined = MappedTensors.join(Printable.fileName(folder), shards);
      requireAgreement(places, names, shards);
      requireTotal(document, joined);
      return joined;
    } catch (RuntimeException | Error e) {
      shards.forEach(TensorFile::close);
      throw e;
    }
  }

  private JsonObject readIndex() {
    try (FileSource source = FileSource.open(folder.resolve(Safetensors.INDEX))) {
      if (source.size() > LARGEST_INDEX) {
        throw index.error("has %d bytes; at most %d make sense", source.size(), LARGEST_INDEX);
      }
      byte[] json = new byte[(int) source.size()];
      source.read(0, ByteBuffer.wrap(json));
      return JsonTree.read(json);
    } catch (JsonFault e) {
      throw new FormatException(
          index + " line " + e.line() + ", column " + e.column() + ": " + e.getMessage(), e);
    }
  }

  private Map<String, String> weightMap(JsonObject document) {
    for (String key : document.members().keySet()) {
      if (!key.equals("weight_map") && !key.equals("metadata")) {
        throw index.error("has a key %s; known: metadata, weight_map", Printable.value(key));
      }
    }
    Member map = document.members().get("weight_map");
    if (map == null || !(map.value() instanceof JsonObject weights)) {
      throw index.error("needs an object weight_map");
    }
    Map<String, String> places = new LinkedHashMap<>();
    weights
        .members()
        .forEach(
            (tensor, file) -> {
              if (!(file.value() instanceof String name)) {
                throw Place.tensor(Safetensors.INDEX, tensor)
                    .error("needs the name of a file, not %s", Printable.value(file.value()));
              }
              places.put(tensor, name);
            });
    return places;
  }

  private Path sibling(String name) {
    try {
      boolean plain =
          !name.isEmpty()
              && !name.equals(".")
              && !name.equals("..")
              && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':');
      if (plain) {
        return inside(name);
      }
    } catch (InvalidPathException e) {
      throw new FormatException(
          index + " names a file " + Printable.value(name) + ", which is no file name", e);
    }
    throw index.error("names a file %s; only files beside it are read", Printable.value(name));
  }

  /** The file in this folder, unless it is a link to somewhere else. */
  private Path inside(String name) {
    Path file = folder.resolve(name);
    if (!Files.exists(file)) {
      throw index.error("names a file %s, which is not there", Printable.value(name));
    }
    try {
      Path home = folder.toRealPath();
      Path target = file.toRealPath();
      if (!home.equals(target.getParent()) && !isCached(home, target)) {
        throw index.error(
            "names a file %s, which links out of its folder, to %s", Printable.value(name), target);
      }
      return file;
    } catch (IOException e) {
      throw new FormatException(
          index + " names a file " + Printable.value(name) + ", which cannot be read: " + e, e);
    }
  }

  /** Whether the target is where the Hugging Face cache keeps the files of this snapshot. */
  private static boolean isCached(Path home, Path target) {
    Path snapshots = home.getParent();
    return snapshots != null
        && snapshots.endsWith("snapshots")
        && snapshots.resolveSibling("blobs").equals(target.getParent());
  }

  private void requireAgreement(
      Map<String, String> places, Set<String> names, List<MappedTensors> shards) {
    Map<String, MappedTensors> byName = new LinkedHashMap<>();
    names.forEach(name -> byName.put(name, shards.get(byName.size())));
    places.forEach(
        (tensor, file) -> {
          if (!byName.get(file).tensors().containsKey(tensor)) {
            throw Place.tensor(Safetensors.INDEX, tensor)
                .error("should be in %s and is not", Printable.name(file));
          }
        });
    byName.forEach(
        (file, shard) ->
            shard
                .tensors()
                .keySet()
                .forEach(
                    tensor -> {
                      if (!places.containsKey(tensor)) {
                        throw Place.tensor(Printable.name(file), tensor)
                            .error("is not in %s", Safetensors.INDEX);
                      }
                    }));
  }

  private void requireTotal(JsonObject document, MappedTensors joined) {
    Member metadata = document.members().get("metadata");
    if (metadata == null
        || !(metadata.value() instanceof JsonObject object)
        || !object.members().containsKey("total_size")) {
      return;
    }
    long total = joined.tensors().values().stream().mapToLong(t -> t.data().byteSize()).sum();
    Object claimed = object.members().get("total_size").value();
    if (!(claimed instanceof Number number) || number.doubleValue() != total) {
      throw index.error(
          "claims a total_size of %s; the tensors have %d bytes", Printable.value(claimed), total);
    }
  }
}
