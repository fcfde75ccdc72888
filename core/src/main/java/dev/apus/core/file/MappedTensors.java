package dev.apus.core.file;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The tensors of one or more mapped files. */
final class MappedTensors implements TensorFile {

  private final String name;
  private final Map<String, StoredTensor> tensors;
  private final List<Mapping> mappings;
  private volatile boolean closed;

  private MappedTensors(String name, Map<String, StoredTensor> tensors, List<Mapping> mappings) {
    this.name = name;
    this.tensors = Collections.unmodifiableMap(tensors);
    this.mappings = mappings;
  }

  /** Tensors that lie in no file. */
  static MappedTensors of(String name, Map<String, StoredTensor> tensors) {
    return new MappedTensors(name, tensors, List.of());
  }

  /** The tensors of a file that has been mapped; they lie within it and have different names. */
  static MappedTensors of(String file, Mapping mapping, List<Entry> entries, long dataAt) {
    Map<String, StoredTensor> tensors = LinkedHashMap.newLinkedHashMap(entries.size());
    for (Entry entry : entries) {
      var data = mapping.bytes().asSlice(dataAt + entry.at(), entry.bytes());
      tensors.put(
          entry.name(), new StoredTensor(file, entry.name(), entry.type(), entry.shape(), data));
    }
    return new MappedTensors(file, tensors, List.of(mapping));
  }

  /**
   * The files of one checkpoint as one.
   *
   * @throws FormatException if two files hold a tensor of the same name; the parts stay open
   */
  static MappedTensors join(String name, List<MappedTensors> parts) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    List<Mapping> mappings = new ArrayList<>();
    for (MappedTensors part : parts) {
      mappings.addAll(part.mappings);
      for (StoredTensor tensor : part.tensors.values()) {
        StoredTensor first = tensors.putIfAbsent(tensor.name(), tensor);
        if (first != null) {
          throw Place.tensor(tensor.file(), tensor.name())
              .error("is in %s too; a checkpoint holds each tensor once", first.file());
        }
      }
    }
    return new MappedTensors(name, tensors, mappings);
  }

  @Override
  public Map<String, StoredTensor> tensors() {
    if (closed) {
      throw new IllegalStateException(name + " is closed");
    }
    return tensors;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public void release() {
    mappings.forEach(Mapping::release);
  }

  @Override
  public void close() {
    closed = true;
    mappings.forEach(Mapping::close);
  }
}
